package dev.postroad.patterns.claimcheck;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;

/**
 * The few operations on objects that the S3 protocol needs here, in memory. It recomputes the signature of each request from
 * what has arrived, so that what was changed on the way, or signed for something else, is refused; that signatures are right at
 * all is held by AWS's own examples in {@link SignatureV4Test}.
 */
final class Buckets implements AutoCloseable {
    private static final String ACCESS_KEY = "test-key";
    private static final String SECRET_KEY = "test-secret";
    private static final int PAGE = 3;

    private record Stored(byte[] bytes, Instant modified) {}

    private final TreeMap<String, Stored> objects = new TreeMap<>();
    private final HttpServer server;
    volatile boolean down;

    Buckets() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                answer(exchange);
            }
        });
        server.start();
    }

    S3Blobs open(String prefix) {
        return open(prefix, SECRET_KEY);
    }

    S3Blobs open(String prefix, String secretKey) {
        URI endpoint = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        return new S3Blobs(endpoint, "bucket", prefix, "eu-test-1", ACCESS_KEY, secretKey);
    }

    private synchronized void answer(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        String path = exchange.getRequestURI().getRawPath();
        String query = exchange.getRequestURI().getRawQuery();
        if (down) {
            send(exchange, 503, "<Error><Code>SlowDown</Code></Error>");
        } else if (!signed(exchange, path, query == null ? "" : query, body)) {
            send(exchange, 403, "<Error><Code>SignatureDoesNotMatch</Code></Error>");
        } else if (path.equals("/bucket")) {
            list(exchange, String.valueOf(query));
        } else {
            object(exchange, path.substring("/bucket/".length()), body);
        }
    }

    private static boolean signed(HttpExchange exchange, String path, String query, byte[] body) {
        String time = exchange.getRequestHeaders().getFirst("x-amz-date");
        Instant at = Instant.parse(time.replaceFirst("(....)(..)(..)T(..)(..)(..)Z", "$1-$2-$3T$4:$5:$6Z"));
        Map<String, String> expected = new SignatureV4("eu-test-1", ACCESS_KEY, SECRET_KEY)
                .sign(
                        exchange.getRequestMethod(),
                        path,
                        query,
                        Map.of("host", exchange.getRequestHeaders().getFirst("host")),
                        body,
                        at);
        return expected.entrySet().stream()
                .allMatch(header ->
                        header.getValue().equals(exchange.getRequestHeaders().getFirst(header.getKey())));
    }

    private void object(HttpExchange exchange, String key, byte[] body) throws IOException {
        switch (exchange.getRequestMethod()) {
            case "PUT" -> {
                objects.put(key, new Stored(body, Instant.now()));
                send(exchange, 200, "");
            }
            case "DELETE" -> {
                objects.remove(key);
                send(exchange, 204, "");
            }
            default -> {
                Stored stored = objects.get(key);
                if (stored == null) {
                    send(exchange, 404, "<Error><Code>NoSuchKey</Code></Error>");
                } else {
                    exchange.sendResponseHeaders(200, stored.bytes.length == 0 ? -1 : stored.bytes.length);
                    exchange.getResponseBody().write(stored.bytes);
                }
            }
        }
    }

    private void list(HttpExchange exchange, String query) throws IOException {
        String prefix = parameter(query, "prefix");
        String after = parameter(query, "start-after");
        StringBuilder page = new StringBuilder("<?xml version=\"1.0\"?><ListBucketResult>");
        objects.tailMap(after, false).entrySet().stream()
                .filter(object -> object.getKey().startsWith(prefix))
                .limit(PAGE)
                .forEach(object -> page.append("<Contents><Key>")
                        .append(object.getKey())
                        .append("</Key><LastModified>")
                        .append(object.getValue().modified)
                        .append("</LastModified></Contents>"));
        send(exchange, 200, page.append("</ListBucketResult>").toString());
    }

    private static String parameter(String query, String name) {
        for (String parameter : query.split("&")) {
            if (parameter.startsWith(name + "=")) {
                return java.net.URLDecoder.decode(parameter.substring(name.length() + 1), StandardCharsets.UTF_8);
            }
        }
        return "";
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        if (bytes.length > 0) {
            exchange.getResponseBody().write(bytes);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
