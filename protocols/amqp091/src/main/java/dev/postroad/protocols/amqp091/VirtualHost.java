package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Policy;
import dev.postroad.protocols.amqp091.codec.ReplyCode;

/**
 * A virtual host: a space of names of its own. The names of {@code /} are the engine's, unchanged, so that a queue is the same
 * queue for every protocol; those of another host stand behind a prefix with its name:
 *
 * <pre>
 *   /        orders   ↔   orders
 *   billing  orders   ↔   vhost:billing:orders          a ':' or '%' in the host's name is escaped as %3A, %25
 * </pre>
 *
 * <p>Names of {@code /} that begin like such a prefix are refused, so that no name is in two hosts.
 *
 * @param name as clients say it when they connect
 * @param prefix of its names in the engine
 */
public record VirtualHost(String name, String prefix) {
    private static final String RESERVED = "vhost:";

    /** The host whose names are the engine's own. */
    public static final VirtualHost DEFAULT = new VirtualHost("/", "");

    /** The host of this name; whether there is one is for others to know. */
    public static VirtualHost named(String name) {
        return name.equals(DEFAULT.name)
                ? DEFAULT
                : new VirtualHost(name, RESERVED + name.replace("%", "%25").replace(":", "%3A") + ":");
    }

    /** The host that a name in the engine belongs to. */
    public static VirtualHost of(String engineName) {
        int end = engineName.startsWith(RESERVED) ? engineName.indexOf(':', RESERVED.length()) : -1;
        if (end < 0) {
            return DEFAULT;
        }
        String escaped = engineName.substring(RESERVED.length(), end);
        return new VirtualHost(escaped.replace("%3A", ":").replace("%25", "%"), engineName.substring(0, end + 1));
    }

    /** True if this name in the engine is of this host. */
    public boolean has(String engineName) {
        return prefix.isEmpty() ? !engineName.startsWith(RESERVED) : engineName.startsWith(prefix);
    }

    /** Which names in the engine are of this host. */
    Policy.Scope scope() {
        return prefix.isEmpty() ? new Policy.Scope("", RESERVED) : new Policy.Scope(prefix, null);
    }

    /** A name of this host, as the engine knows it. */
    String inEngine(String localName) {
        if (prefix.isEmpty()) {
            if (localName.startsWith(RESERVED)) {
                throw new AmqpException(
                        ReplyCode.ACCESS_REFUSED,
                        "name '" + localName + "' contains reserved prefix '" + RESERVED
                                + "', which names of other virtual hosts have");
            }
            return localName;
        }
        return prefix + localName;
    }

    /** A name in the engine, as clients of this host know it. */
    public String local(String engineName) {
        return !prefix.isEmpty() && engineName.startsWith(prefix) ? engineName.substring(prefix.length()) : engineName;
    }
}
