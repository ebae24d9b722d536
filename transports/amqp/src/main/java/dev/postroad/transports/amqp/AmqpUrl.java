package dev.postroad.transports.amqp;

import com.rabbitmq.client.ConnectionFactory;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Locale;
import java.util.Set;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Where the broker is and how it is used, from {@code amqp://user:password@host:port/vhost?option=value}.
 *
 * @param shown the url without user and password
 * @param queueType {@code quorum} or {@code classic}, for queues that do not need another
 * @param heartbeatSeconds how often both sides show that they live; a peer that is silent for twice as long is gone
 * @param connectMillis how long connecting may take
 */
record AmqpUrl(
        String shown,
        String host,
        int port,
        boolean tls,
        String user,
        String password,
        String vhost,
        String queueType,
        int heartbeatSeconds,
        int connectMillis) {
    private static final String FORM = "write amqp://USER:PASSWORD@HOST:PORT/VHOST";
    private static final Set<String> QUEUE_TYPES = Set.of("quorum", "classic");

    /** Bytes of a message that comes, at most. */
    static final int LARGEST_BODY = 64 * 1024 * 1024;

    /** @throws MessagingException {@code INVALID}, without repeating a password */
    static AmqpUrl parse(String url) {
        URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException e) {
            throw wrong(url, "it is no url at character " + e.getIndex() + " (" + e.getReason() + ")");
        }
        String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
        String host = uri.getHost();
        if (host == null || host.isEmpty()) {
            throw wrong(url, "it has no host");
        }
        if (uri.getFragment() != null) {
            throw wrong(url, "it must have no fragment");
        }
        boolean tls = scheme.equals("amqps");
        int port = uri.getPort() < 0 ? (tls ? 5671 : 5672) : uri.getPort();
        String user = "guest";
        String password = "guest";
        String login = uri.getRawUserInfo();
        if (login != null) {
            int colon = login.indexOf(':');
            if (colon < 0) {
                throw wrong(url, "it names a user without a password");
            }
            user = decoded(login.substring(0, colon));
            password = decoded(login.substring(colon + 1));
        }
        String path = uri.getRawPath() == null ? "" : uri.getRawPath();
        if (path.indexOf('/', 1) > 0) {
            throw wrong(url, "its virtual host has a slash; write %2F for it");
        }
        String vhost = path.length() < 2 ? "/" : decoded(path.substring(1));
        String queueType = "quorum";
        int heartbeat = 10;
        int connect = 10_000;
        String query = uri.getRawQuery();
        if (query != null) {
            for (String option : query.split("&", -1)) {
                int equals = option.indexOf('=');
                String name = equals < 0 ? option : option.substring(0, equals);
                String value = equals < 0 ? "" : decoded(option.substring(equals + 1));
                switch (name) {
                    case "queue-type" -> {
                        if (!QUEUE_TYPES.contains(value)) {
                            throw wrong(url, "queue-type is " + value + "; it must be quorum or classic");
                        }
                        queueType = value;
                    }
                    case "heartbeat" -> heartbeat = number(url, name, value, 1, 600);
                    case "connect-timeout" -> connect = number(url, name, value, 1, 600) * 1_000;
                    default ->
                        throw wrong(
                                url,
                                "it has the option '" + name
                                        + "'; there are queue-type, heartbeat and connect-timeout (both in seconds)");
                }
            }
        }
        String shown = scheme + "://" + host + ":" + port + (vhost.equals("/") ? "" : path);
        return new AmqpUrl(shown, host, port, tls, user, password, vhost, queueType, heartbeat, connect);
    }

    /** A factory of connections that recover nothing by themselves. */
    ConnectionFactory factory() {
        ConnectionFactory factory = Incoming.connections();
        factory.setHost(host);
        factory.setPort(port);
        factory.setUsername(user);
        factory.setPassword(password);
        factory.setVirtualHost(vhost);
        factory.setAutomaticRecoveryEnabled(false);
        factory.setTopologyRecoveryEnabled(false);
        factory.setRequestedHeartbeat(heartbeatSeconds);
        factory.setConnectionTimeout(connectMillis);
        factory.setHandshakeTimeout(connectMillis);
        factory.setMaxInboundMessageBodySize(LARGEST_BODY);
        factory.setChannelRpcTimeout(30_000);
        // An answer that comes after its call gave up must not be taken for that of the next call on a channel of that
        // number.
        factory.setChannelShouldCheckRpcResponseType(true);
        if (tls) {
            try {
                factory.useSslProtocol(SSLContext.getDefault());
                factory.enableHostnameVerification();
            } catch (GeneralSecurityException e) {
                throw new MessagingException(
                        Reason.FAILED,
                        "the JVM has no TLS for " + shown + "; see javax.net.ssl.trustStore: " + e.getMessage(),
                        e);
            }
        }
        return factory;
    }

    private static int number(String url, String name, String value, int least, int most) {
        try {
            int number = Integer.parseInt(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw wrong(url, name + " is '" + value + "'; it must be a number of seconds");
        }
        throw wrong(url, name + " is " + value + "; it must be " + least + " to " + most + " seconds");
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static MessagingException wrong(String url, @Nullable String why) {
        return new MessagingException(
                Reason.INVALID,
                "'" + url.replaceFirst("//[^@/]*@", "//…@").replaceFirst("\\?.*", "")
                        + "' is no url of an AMQP broker: " + why + "; " + FORM);
    }
}
