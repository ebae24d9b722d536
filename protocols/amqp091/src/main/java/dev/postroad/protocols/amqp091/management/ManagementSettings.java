package dev.postroad.protocols.amqp091.management;

import dev.postroad.security.UsersFile;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the management interface tells and changes beside the broker.
 *
 * @param node its name, such as {@code postroad@localhost}
 * @param version of the server
 * @param virtualHosts names of those there are
 * @param users null where none are configured
 * @param data the directory of the data; null for memory
 * @param diskLowWaterBytes free space below which publishers are refused
 * @param listeners where the server listens
 */
public record ManagementSettings(
        String node,
        String version,
        List<String> virtualHosts,
        @Nullable UsersFile users,
        @Nullable Path data,
        long diskLowWaterBytes,
        Supplier<List<Listener>> listeners) {

    /** A port, and what is spoken there in the words of RabbitMQ: {@code amqp}, {@code amqp/ssl}, {@code http}, {@code https}. */
    public record Listener(String protocol, String address, int port) {}

    public ManagementSettings {
        virtualHosts = List.copyOf(virtualHosts);
    }
}
