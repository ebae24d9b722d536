package dev.postroad.protocols.amqp091;

import dev.postroad.protocols.amqp091.codec.ReplyCode;
import dev.postroad.security.Permission.Action;
import dev.postroad.security.User;
import org.jspecify.annotations.Nullable;

/**
 * What a user may do in a virtual host, refused in RabbitMQ's words. Each method returns why not, or null.
 *
 * <pre>
 *   declare, delete               configure
 *   publish                       write    the exchange, the default one by the name amq.default
 *   bind, unbind                  write    the destination, read the source
 *   consume, get, purge           read     the queue
 *   declare with dead letters     read     the queue, write the exchange of dead letters
 *   declare with an alternate     read     the exchange, write the alternate
 * </pre>
 */
public final class Rights {
    private static final String DEFAULT_EXCHANGE = "amq.default";

    private final User user;
    private final String vhost;

    public Rights(User user, String vhost) {
        this.user = user;
        this.vhost = vhost;
    }

    /** Whether the user may come into the virtual host. */
    public @Nullable String enter() {
        return user.permissions().in(vhost).isPresent()
                ? null
                : "access to vhost '" + vhost + "' refused for user '" + user.name() + "'";
    }

    public @Nullable String queue(Action action, String name) {
        return refusal(action, "queue", name);
    }

    /** @param name empty for the default exchange */
    public @Nullable String exchange(Action action, String name) {
        return refusal(action, "exchange", name.isEmpty() ? DEFAULT_EXCHANGE : name);
    }

    private @Nullable String refusal(Action action, String kind, String name) {
        return user.permissions().allows(action, vhost, name)
                ? null
                : "access to " + kind + " '" + name + "' in vhost '" + vhost + "' refused for user '" + user.name()
                        + "'";
    }

    /** A queue with these arguments. */
    public @Nullable String declare(Declarations.Queue queue) {
        String refusal = queue(Action.CONFIGURE, queue.name());
        return refusal == null && queue.arguments().get("x-dead-letter-exchange") instanceof String letters
                ? both(queue(Action.READ, queue.name()), exchange(Action.WRITE, letters))
                : refusal;
    }

    /** An exchange with these arguments. */
    public @Nullable String declare(Declarations.Exchange exchange) {
        String refusal = exchange(Action.CONFIGURE, exchange.name());
        return refusal == null && exchange.arguments().get("alternate-exchange") instanceof String alternate
                ? both(exchange(Action.READ, exchange.name()), exchange(Action.WRITE, alternate))
                : refusal;
    }

    /** A binding, made or removed. */
    public @Nullable String bind(Declarations.Bound binding) {
        return both(
                binding.toExchange()
                        ? exchange(Action.WRITE, binding.destination())
                        : queue(Action.WRITE, binding.destination()),
                exchange(Action.READ, binding.source()));
    }

    private static @Nullable String both(@Nullable String first, @Nullable String second) {
        return first == null ? second : first;
    }

    /** @throws AmqpException 403 if there is a refusal */
    static void require(@Nullable String refusal) {
        if (refusal != null) {
            throw new AmqpException(ReplyCode.ACCESS_REFUSED, refusal);
        }
    }
}
