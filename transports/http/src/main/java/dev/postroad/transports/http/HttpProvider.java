package dev.postroad.transports.http;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Transport;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;

/**
 * Opens {@code http://host:port} and {@code https://host:port}; {@code http://user:password@host:port} logs in. Certificates are
 * believed as the JVM believes them ({@code javax.net.ssl.trustStore}).
 */
public final class HttpProvider implements Transport.Provider {
    static final int DEFAULT_PORT = 8480;

    /** For the service loader. */
    public HttpProvider() {}

    @Override
    public List<String> schemes() {
        return List.of("http", "https");
    }

    @Override
    public Transport open(String url) {
        URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException e) {
            throw wrong(url, String.valueOf(e.getMessage()));
        }
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        if (!schemes().contains(scheme) || uri.getHost() == null) {
            throw wrong(url, "it has no host");
        }
        if (uri.getQuery() != null || uri.getFragment() != null) {
            throw wrong(url, "it must have no query or fragment");
        }
        String path = uri.getPath() == null ? "" : uri.getPath();
        if (!path.isEmpty() && !path.equals("/")) {
            throw wrong(url, "its path is " + path + "; it must have none");
        }
        int port = uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort();
        String user = uri.getUserInfo();
        if (user != null && user.indexOf(':') < 0) {
            throw wrong(url, "it names a user without a password");
        }
        return new HttpTransport(URI.create(scheme + "://" + uri.getHost() + ":" + port), user);
    }

    private static MessagingException wrong(String url, String why) {
        return new MessagingException(
                Reason.INVALID,
                "'" + url.replaceFirst("//[^@/]*@", "//…@") + "' is no url of a server: " + why
                        + "; write http://HOST:PORT");
    }
}
