package dev.postroad.protocols.http;

import dev.postroad.engine.channel.Words;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which handler answers a request. Paths are matched segment by segment as they were sent, and decoded afterwards, so that a
 * name may contain a slash ({@code %2F}).
 */
final class Router {
    private final List<Route> routes = new ArrayList<>();

    /** Answers one request. */
    interface Handler {
        void handle(Exchange exchange) throws Exception;
    }

    /**
     * @param method of HTTP
     * @param template such as {@code /api/v1/channels/{channel}/messages}
     * @param segments of the template
     * @param query the parameters it knows
     * @param waits true if it may wait for long: a long poll or a stream
     */
    record Route(
            String method, String template, List<String> segments, Set<String> query, boolean waits, Handler handler) {
        Route(String method, String template, Set<String> query, boolean waits, Handler handler) {
            this(method, template, List.of(template.substring(1).split("/")), query, waits, handler);
        }
    }

    /** What a request was matched with. */
    record Match(Route route, Map<String, String> path, Map<String, String> query) {
        /** Of a request that matches nothing. */
        static final Match NONE = new Match(new Route("", "/", Set.of(), false, exchange -> {}), Map.of(), Map.of());
    }

    void add(String method, String template, Handler handler, String... query) {
        routes.add(new Route(method, template, Set.of(query), false, handler));
    }

    void addWaiting(String method, String template, Handler handler, String... query) {
        routes.add(new Route(method, template, Set.of(query), true, handler));
    }

    /** All routes, in the order in which they were added. */
    List<Route> routes() {
        return List.copyOf(routes);
    }

    /**
     * @throws Problem 404 if there is nothing at this path, 405 if there is, for other methods; 400 for a query parameter that
     *     the route does not know
     */
    Match match(String method, String rawPath, @Nullable String rawQuery) {
        String[] segments = rawPath.startsWith("/") ? rawPath.substring(1).split("/", -1) : new String[0];
        Set<String> allowed = new TreeSet<>();
        for (Route route : routes) {
            Map<String, String> path = match(route.segments(), segments);
            if (path != null) {
                if (route.method.equals(method)) {
                    return new Match(route, path, query(route, rawQuery));
                }
                allowed.add(route.method);
            }
        }
        if (allowed.isEmpty()) {
            throw Problem.notFound("there is nothing at " + shorten(rawPath)
                    + "; /api/v1/openapi.json describes all there is (a '/' within a name is written %2F)");
        }
        throw new Problem(
                        405,
                        "METHOD_NOT_ALLOWED",
                        method + " is not possible at " + shorten(rawPath) + "; possible are "
                                + String.join(", ", allowed))
                .with("allow", String.join(", ", allowed));
    }

    private static @Nullable Map<String, String> match(List<String> template, String[] segments) {
        if (template.size() != segments.length) {
            return null;
        }
        Map<String, String> path = new LinkedHashMap<>();
        for (int i = 0; i < segments.length; i++) {
            String wanted = template.get(i);
            if (wanted.startsWith("{")) {
                if (segments[i].isEmpty()) {
                    return null;
                }
                path.put(wanted.substring(1, wanted.length() - 1), decode(segments[i], false));
            } else if (!wanted.equals(segments[i])) {
                return null;
            }
        }
        return path;
    }

    /** The query's parameters; each may come once. */
    private static Map<String, String> query(Route route, @Nullable String raw) {
        Map<String, String> query = new LinkedHashMap<>();
        if (raw == null || raw.isEmpty()) {
            return query;
        }
        for (String pair : raw.split("&")) {
            if (pair.isEmpty()) {
                continue;
            }
            int equals = pair.indexOf('=');
            String name = decode(equals < 0 ? pair : pair.substring(0, equals), true);
            if (!route.query.contains(name)) {
                throw Problem.invalid("the query parameter '" + shorten(name) + "' is not known here"
                        + (route.query.isEmpty()
                                ? "; none is"
                                : Words.hint(name, route.query.stream().sorted().toList())));
            }
            if (query.put(name, equals < 0 ? "" : decode(pair.substring(equals + 1), true)) != null) {
                throw Problem.invalid("the query parameter '" + name + "' comes more than once");
            }
        }
        return query;
    }

    private static String decode(String text, boolean query) {
        if (text.indexOf('%') < 0 && !(query && text.indexOf('+') >= 0)) {
            return text;
        }
        try {
            String plain = query ? text : text.replace("+", "%2B");
            byte[] bytes = URLDecoder.decode(plain, StandardCharsets.ISO_8859_1).getBytes(StandardCharsets.ISO_8859_1);
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (IllegalArgumentException | CharacterCodingException e) {
            throw Problem.invalid("'" + shorten(text) + "' is no percent-encoded UTF-8");
        }
    }

    private static String shorten(String text) {
        return text.length() <= 80 ? text : text.substring(0, 80) + "…";
    }
}
