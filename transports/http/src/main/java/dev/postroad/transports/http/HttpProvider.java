package dev.postroad.transports.http;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Transport;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;

/** Opens {@code http://host:port}. */
public final class HttpProvider implements Transport.Provider {
    static final int DEFAULT_PORT = 8480;

    /** For the service loader. */
    public HttpProvider() {}

    @Override
    public List<String> schemes() {
        return List.of("http");
    }

    @Override
    public Transport open(String url) {
        URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException e) {
            throw wrong(url, String.valueOf(e.getMessage()));
        }
        if (!"http".equalsIgnoreCase(uri.getScheme()) || uri.getHost() == null) {
            throw wrong(url, "it has no host");
        }
        if (uri.getUserInfo() != null || uri.getQuery() != null || uri.getFragment() != null) {
            throw wrong(url, "it must have no user, query or fragment");
        }
        String path = uri.getPath() == null ? "" : uri.getPath();
        if (!path.isEmpty() && !path.equals("/")) {
            throw wrong(url, "its path is " + path + "; it must have none");
        }
        int port = uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort();
        return new HttpTransport(URI.create("http://" + uri.getHost() + ":" + port));
    }

    private static MessagingException wrong(String url, String why) {
        return new MessagingException(
                Reason.INVALID,
                "'" + url.replaceFirst("//[^@/]*@", "//…@") + "' is no url of a server: " + why
                        + "; write http://HOST:PORT");
    }
}
