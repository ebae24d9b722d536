package dev.postroad.transports.amqp;

import dev.postroad.api.Transport;
import java.util.List;

/**
 * Opens {@code amqp://user:password@host:port/vhost} and {@code amqps://…}. Without a user {@code guest} logs in; without a virtual
 * host it is {@code /}. Certificates are believed as the JVM believes them ({@code javax.net.ssl.trustStore}). Options, behind a
 * question mark and joined by {@code &}:
 *
 * <ul>
 *   <li>{@code queue-type}: {@code quorum} (the default) or {@code classic}, for queues that do not need another
 *   <li>{@code heartbeat}: seconds, 1 to 600, default 10; a peer that is silent for twice as long is gone
 *   <li>{@code connect-timeout}: seconds, 1 to 600, default 10
 * </ul>
 */
public final class AmqpProvider implements Transport.Provider {

    /** For the service loader. */
    public AmqpProvider() {}

    @Override
    public List<String> schemes() {
        return List.of("amqp", "amqps");
    }

    @Override
    public Transport open(String url) {
        return new AmqpTransport(AmqpUrl.parse(url));
    }
}
