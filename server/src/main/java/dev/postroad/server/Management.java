package dev.postroad.server;

import dev.postroad.engine.runtime.Broker;
import dev.postroad.protocols.amqp091.AmqpSettings;
import dev.postroad.protocols.amqp091.management.ManagementApi;
import dev.postroad.protocols.amqp091.management.ManagementSettings;
import dev.postroad.protocols.amqp091.management.ManagementSettings.Listener;
import dev.postroad.protocols.http.Mount;
import dev.postroad.security.UsersFile;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The management interface of AMQP's world, below {@code /api} of the HTTP interface. */
final class Management {
    private static final String NODE = "postroad@localhost";

    private Management() {}

    static Mount mount(
            Broker broker,
            ServerSettings settings,
            AmqpSettings amqp,
            @Nullable UsersFile users,
            Supplier<List<Listener>> listeners) {
        ManagementApi api = new ManagementApi(
                broker,
                new ManagementSettings(
                        NODE,
                        version(),
                        amqp.virtualHosts(),
                        users,
                        settings.data(),
                        settings.engine().journal().lowWaterBytes(),
                        listeners));
        return new Mount("/api", request -> answer(api, request));
    }

    private static Mount.Answer answer(ManagementApi api, Mount.Request request) {
        ManagementApi.Response response =
                api.answer(request.method(), request.path(), request.query(), request.body(), request.user());
        String location = response.location();
        return new Mount.Answer(
                response.status(),
                response.json().length == 0 ? "" : "application/json",
                response.json(),
                location == null ? Map.of() : Map.of("Location", location));
    }

    static Listener listener(String protocol, Access access, InetSocketAddress address) {
        boolean encrypted = access.tls() != null;
        String spoken = !encrypted ? protocol : protocol.equals("http") ? "https" : protocol + "/ssl";
        return new Listener(spoken, address.getHostString(), address.getPort());
    }

    private static String version() {
        String version = Management.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
