package dev.postroad.cli;

import java.io.IOException;
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
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The JSON interface of a server, for whatever looks after channels. Problems become {@link CliException}s. */
final class HttpApi implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration ANSWER = Duration.ofSeconds(60);
    /** For people whom no server answers. */
    static final String ADVICE = """

              start one with: postroad serve --data DIR
              name another with: --url URL or the variable POSTROAD_URL
              or work on a directory nobody holds with: --data DIR""";

    private static final String BASE = "/api/v1";

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT)
            .build();
    private final String url;
    private final @Nullable String authorization;

    /**
     * @param url of a server, without a path
     * @param user name and password with a colon between; null to send no login
     */
    HttpApi(String url, @Nullable String user) {
        this.url = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
        this.authorization = user == null
                ? null
                : "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
    }

    /** A path under the interface's own, its segments encoded, with a query. */
    static final class Target {
        private final StringBuilder path = new StringBuilder(BASE);
        private final Map<String, String> query = new LinkedHashMap<>();

        static Target of(String... segments) {
            Target target = new Target();
            for (String segment : segments) {
                target.path.append('/').append(encode(segment));
            }
            return target;
        }

        /** A parameter of the query; left out where the value is null. */
        Target with(String name, @Nullable Object value) {
            if (value != null) {
                query.put(name, value.toString());
            }
            return this;
        }

        private static String encode(String text) {
            return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
        }

        @Override
        public String toString() {
            StringJoiner parameters = new StringJoiner("&", "?", "").setEmptyValue("");
            query.forEach((name, value) -> parameters.add(encode(name) + "=" + encode(value)));
            return path + parameters.toString();
        }
    }

    JsonNode get(Target target) {
        return call("GET", target, null);
    }

    JsonNode delete(Target target) {
        return call("DELETE", target, null);
    }

    JsonNode put(Target target, Map<String, ?> body) {
        return call("PUT", target, body);
    }

    JsonNode post(Target target, Map<String, ?> body) {
        return call("POST", target, body);
    }

    private JsonNode call(String method, Target target, @Nullable Map<String, ?> body) {
        HttpResponse<byte[]> response;
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + target))
                    .timeout(ANSWER)
                    .header("Accept", "application/json")
                    .method(
                            method,
                            body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(Json.write(body)));
            if (body != null) {
                request.header("Content-Type", "application/json");
            }
            if (authorization != null) {
                request.header("Authorization", authorization);
            }
            response = client.send(request.build(), BodyHandlers.ofByteArray());
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.USAGE, "'" + url + "' is no address of a server: " + e.getMessage(), e);
        } catch (ConnectException | HttpConnectTimeoutException e) {
            throw unreachable(url, e);
        } catch (HttpTimeoutException e) {
            throw new CliException(
                    ExitCode.TIMEOUT,
                    url + " did not answer within " + Units.time(ANSWER) + " (" + method + " " + target + ")",
                    e);
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "the connection to " + url + " broke (" + method + " " + target + "): " + reason(e),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.INTERRUPTED, "interrupted", e);
        }
        JsonNode answer = Json.read(response.body(), url + " (status " + response.statusCode() + ")");
        if (response.statusCode() / 100 != 2) {
            throw problem(response.statusCode(), answer);
        }
        return answer;
    }

    static CliException unreachable(String url, @Nullable Throwable cause) {
        return new CliException(ExitCode.UNAVAILABLE, "no server answers at " + url + ADVICE, cause);
    }

    private static String reason(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : Units.oneLine(e.getMessage());
    }

    private static CliException problem(int status, JsonNode problem) {
        String title = Json.text("status " + status, problem, "title");
        String detail = Json.text(problem, "detail");
        int exitCode = switch (status) {
            case 400, 422 -> ExitCode.USAGE;
            case 404 -> ExitCode.NOT_FOUND;
            case 401 ->
                throw new CliException(
                        ExitCode.FAILED,
                        Units.oneLine(detail == null ? title : detail)
                                + " (the variables POSTROAD_USER and POSTROAD_PASSWORD say who you are)");
            default -> ExitCode.FAILED;
        };
        return new CliException(exitCode, Units.oneLine(detail == null ? "refused: " + title : detail));
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
