package dev.postroad.transports.http;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/** Requests to the server, and its problems as exceptions of the contract. */
final class Http implements AutoCloseable {
    static final String JSON = "application/json";
    static final String LINES = "application/x-ndjson";

    static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(64)
                            .maxStringLength(48 * 1024 * 1024)
                            .build())
                    .build())
            .build();

    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration ANSWER = Duration.ofSeconds(30);

    private final URI base;
    private final HttpClient client;
    private final @Nullable String authorization;

    Http(URI base, @Nullable String user) {
        this.base = base;
        this.authorization = user == null
                ? null
                : "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(CONNECT)
                .followRedirects(HttpClient.Redirect.NEVER)
                .executor(Executors.newVirtualThreadPerTaskExecutor())
                .build();
    }

    URI base() {
        return base;
    }

    /** A part of a path, or the value of a query parameter. */
    static String part(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    static String channel(String channel) {
        return "/api/v1/channels/" + part(channel);
    }

    // ── Requests ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Asks; may be repeated if the connection broke. */
    JsonNode get(String path) {
        return again(() -> call("GET", path, null, JSON, ANSWER));
    }

    /** Changes something in a way that may be repeated. */
    JsonNode repeatable(String method, String path, byte @Nullable [] json) {
        return again(() -> call(method, path, json, JSON, ANSWER));
    }

    /** Changes something; if the connection breaks the outcome is unknown. */
    JsonNode post(String path, byte[] body, String type) {
        return call("POST", path, body, type, ANSWER);
    }

    private interface Call {
        JsonNode run();
    }

    /** A connection from the pool may have gone while nobody looked: what may be repeated is, once. */
    private static JsonNode again(Call call) {
        try {
            return call.run();
        } catch (MessagingException e) {
            if (e.reason() == Reason.TIMEOUT && !(e.getCause() instanceof HttpTimeoutException)) {
                return call.run();
            }
            throw e;
        }
    }

    private JsonNode call(String method, String path, byte @Nullable [] body, String type, Duration timeout) {
        HttpResponse<byte[]> response;
        try {
            response = client.send(
                    request(method, path, body, type).timeout(timeout).build(), BodyHandlers.ofByteArray());
        } catch (IOException e) {
            throw failure(method, path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(
                    Reason.TIMEOUT, "interrupted while waiting for " + base + path + "; the outcome is unknown", e);
        }
        if (response.statusCode() >= 300) {
            throw problem(method, path, response.statusCode(), response.body());
        }
        return response.body().length == 0 ? MissingNode.getInstance() : read(response.body());
    }

    private HttpRequest.Builder request(String method, String path, byte @Nullable [] body, String type) {
        HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
        if (body != null) {
            request.header("Content-Type", type);
        }
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        return request;
    }

    /** Begins a response that is read bit by bit. */
    InputStream stream(
            String method, String path, byte @Nullable [] body, String accept, @Nullable String lastEventId) {
        HttpRequest.Builder request =
                request(method, path, body, JSON).header("Accept", accept).timeout(ANSWER);
        if (lastEventId != null) {
            request.header("Last-Event-ID", lastEventId);
        }
        try {
            HttpResponse<InputStream> response = client.send(request.build(), BodyHandlers.ofInputStream());
            if (response.statusCode() >= 300) {
                try (InputStream problem = response.body()) {
                    throw problem(method, path, response.statusCode(), problem.readNBytes(1024 * 1024));
                }
            }
            return response.body();
        } catch (IOException e) {
            throw failure(method, path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.TIMEOUT, "interrupted while connecting to " + base, e);
        }
    }

    static JsonNode read(byte[] json) {
        try {
            return MAPPER.readTree(json);
        } catch (JacksonException e) {
            throw new MessagingException(
                    Reason.FAILED,
                    "the answer is no JSON: is a Postroad server listening there? " + e.getOriginalMessage(),
                    e);
        }
    }

    static byte[] write(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    // ── What goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────

    private MessagingException failure(String method, String path, IOException e) {
        String what = method + " " + base + path;
        if (e instanceof ConnectException || e instanceof HttpConnectTimeoutException) {
            return new MessagingException(
                    Reason.UNREACHABLE, "no server answers at " + base + ": is it running? (" + what + ")", e);
        }
        String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return new MessagingException(
                Reason.TIMEOUT, "no answer to " + what + ": " + why + "; the outcome is unknown", e);
    }

    private static MessagingException problem(String method, String path, int status, byte[] body) {
        JsonNode problem;
        try {
            problem = MAPPER.readTree(body);
        } catch (JacksonException e) {
            problem = MissingNode.getInstance();
        }
        return problem(method + " " + path, status, problem);
    }

    /** The exception that a problem of the server's stands for. */
    static MessagingException problem(String what, int status, JsonNode problem) {
        String reason = problem.path("reason").stringValue("");
        String detail = problem.path("detail").stringValue("");
        if (reason.isEmpty()) {
            boolean away = status == 502 || status == 503 || status == 504;
            return new MessagingException(
                    away ? Reason.UNREACHABLE : status == 401 || status == 403 ? Reason.DENIED : Reason.FAILED,
                    what + " was answered with status " + status + ", not by a Postroad server");
        }
        List<String> lost = new ArrayList<>();
        problem.path("lost").forEach(id -> lost.add(id.stringValue("")));
        HttpProblem cause = new HttpProblem(status, reason, detail, lost);
        return new MessagingException(reason(reason), detail, cause);
    }

    private static Reason reason(String reason) {
        return switch (reason) {
            case "INVALID", "UNSUPPORTED_MEDIA_TYPE", "METHOD_NOT_ALLOWED" -> Reason.INVALID;
            case "NOT_FOUND", "UNROUTABLE" -> Reason.NOT_FOUND;
            case "MISMATCH" -> Reason.CHANNEL_MISMATCH;
            case "IN_USE" -> Reason.IN_USE;
            case "TOO_LARGE" -> Reason.TOO_LARGE;
            case "FULL" -> Reason.FULL;
            case "NOT_DELIVERED" -> Reason.LEASE_LOST;
            case "STORAGE_FAILED" -> Reason.STORAGE_FAILED;
            case "CLOSED" -> Reason.UNREACHABLE;
            case "DENIED" -> Reason.DENIED;
            default -> Reason.FAILED;
        };
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
