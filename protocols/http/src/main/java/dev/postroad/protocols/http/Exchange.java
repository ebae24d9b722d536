package dev.postroad.protocols.http;

import dev.postroad.security.User;
import io.helidon.common.buffers.DataReader;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerRequestHeaders;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** One request and its response. */
final class Exchange implements AutoCloseable {
    static final String JSON = "application/json";
    private static final String PROBLEM = "application/problem+json";
    private static final HeaderName CONTENT_TYPE = HeaderNames.CONTENT_TYPE;

    private final ServerRequest request;
    private final ServerResponse response;
    private final HttpSettings settings;
    private final BodyBudget budget;
    private final Caller caller;
    private final Map<String, String> path;
    private final Map<String, String> query;
    private BodyBudget.@Nullable Body body;
    private boolean answered;

    Exchange(
            ServerRequest request,
            ServerResponse response,
            HttpSettings settings,
            BodyBudget budget,
            Caller caller,
            Router.Match match) {
        this.request = request;
        this.response = response;
        this.settings = settings;
        this.budget = budget;
        this.caller = caller;
        this.path = match.path();
        this.query = match.query();
    }

    // ── What was asked ───────────────────────────────────────────────────────────────────────────────────────────────

    HttpSettings settings() {
        return settings;
    }

    /** Who asks. */
    Caller caller() {
        return caller;
    }

    /** A part of the path that the route names. */
    String path(String name) {
        String value = path.get(name);
        if (value == null) {
            throw new IllegalStateException("the route has no {" + name + "}");
        }
        return value;
    }

    int pathNumber(String name, int most) {
        return (int) number(name, path(name), 0, most);
    }

    @Nullable
    String query(String name) {
        return query.get(name);
    }

    long query(String name, long least, long most, long otherwise) {
        String text = query.get(name);
        return text == null ? otherwise : number(name, text, least, most);
    }

    private static long number(String name, String text, long least, long most) {
        try {
            long value = Long.parseLong(text);
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw wrongNumber(name, text, least, most);
        }
        throw wrongNumber(name, text, least, most);
    }

    private static Problem wrongNumber(String name, String text, long least, long most) {
        String shown = text.length() <= 30 ? text : text.substring(0, 30) + "…";
        return Problem.invalid(
                "'" + name + "' is '" + shown + "'; it must be a whole number from " + least + " to " + most);
    }

    boolean queryFlag(String name, boolean otherwise) {
        String text = query.get(name);
        if (text == null) {
            return otherwise;
        }
        if (text.isEmpty() || text.equals("true")) {
            return true;
        }
        if (text.equals("false")) {
            return false;
        }
        throw Problem.invalid("'" + name + "' is '" + text + "'; it must be true or false");
    }

    long queryTime(String name, long least, long most, long otherwise) {
        String text = query.get(name);
        return text == null ? otherwise : JsonFields.time(name, text, least, most);
    }

    ServerRequestHeaders headers() {
        return request.headers();
    }

    @Nullable
    String header(String name) {
        return headers().first(HeaderNames.create(name)).orElse(null);
    }

    /** The media type of the body without its parameters, in lower case; empty if the request names none. */
    String mediaType() {
        String type = contentType();
        if (type == null) {
            return "";
        }
        int semicolon = type.indexOf(';');
        return (semicolon < 0 ? type : type.substring(0, semicolon)).strip().toLowerCase(Locale.ROOT);
    }

    @Nullable
    String contentType() {
        return headers().first(CONTENT_TYPE).orElse(null);
    }

    /** The body, read to its end; held until the exchange is closed. */
    BodyBudget.Body body(int limit) throws IOException {
        BodyBudget.Body held = body;
        if (held == null) {
            long declared = headers().contentLength().orElse(-1);
            try {
                held = budget.read(request.content().inputStream(), limit, declared);
            } catch (DataReader.InsufficientDataAvailableException e) {
                throw new ServerConnectionException("the client went in the middle of its request", e);
            }
            body = held;
        }
        return held;
    }

    /** The body as a JSON object with these members and no others. */
    JsonFields json(String... known) throws IOException {
        BodyBudget.Body bytes = jsonBody();
        if (bytes.length() == 0) {
            throw Problem.invalid("the body is empty; it must be a JSON object");
        }
        return new JsonFields("", Json.readObject(bytes.bytes(), 0, bytes.length(), "the body"), List.of(known));
    }

    /** The same, where the body may be left out. */
    JsonFields jsonOrNothing(String... known) throws IOException {
        BodyBudget.Body bytes = body(settings.maxBodyBytes());
        if (bytes.length() == 0) {
            return new JsonFields("", Json.MAPPER.createObjectNode(), List.of(known));
        }
        return json(known);
    }

    private BodyBudget.Body jsonBody() throws IOException {
        BodyBudget.Body bytes = body(settings.maxBodyBytes());
        requireJson(bytes);
        return bytes;
    }

    private void requireJson(BodyBudget.Body bytes) {
        String type = mediaType();
        if (bytes.length() > 0 && !type.equals(JSON)) {
            throw new Problem(
                    415, "UNSUPPORTED_MEDIA_TYPE", "the body has the type '" + type + "'; it must be " + JSON);
        }
    }

    /** The members of the body, which must be a JSON object. */
    JsonFields json(byte[] bytes, int length, String... known) {
        return new JsonFields("", Json.readObject(bytes, 0, length, "the body"), List.of(known));
    }

    // ── The answer ───────────────────────────────────────────────────────────────────────────────────────────────────

    boolean answered() {
        return answered;
    }

    void header(String name, String value) {
        response.header(HeaderNames.create(name), value);
    }

    void answer(int status, Object json) {
        answer(status, JSON, Json.write(json));
    }

    void answer(int status, String type, byte[] bytes) {
        answered = true;
        response.status(status);
        response.header(CONTENT_TYPE, type);
        response.header("Cache-Control", "no-store");
        response.header("X-Content-Type-Options", "nosniff");
        response.send(bytes);
    }

    /** Answers with what the writer writes. */
    void answer(int status, Consumer<JsonGenerator> writer) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(1024);
        try (JsonGenerator json = Json.MAPPER.createGenerator(bytes)) {
            writer.accept(json);
        }
        answer(status, JSON, bytes.toByteArray());
    }

    void answerNothing() {
        answered = true;
        response.status(204);
        response.send();
    }

    void answer(Problem problem) {
        if (problem.member("allow") instanceof String allow) {
            response.header("Allow", allow);
        }
        if (problem.member("challenge") instanceof String challenge) {
            response.header("WWW-Authenticate", challenge);
        }
        if (problem.member("retryAfter") instanceof Integer seconds) {
            response.header("Retry-After", seconds.toString());
        }
        answer(problem.status(), PROBLEM, Json.write(problem.members()));
    }

    /** Answers with what somebody else has to say. */
    void answer(Mount mount, String rawPath, User user) throws Exception {
        BodyBudget.Body held = body(settings.maxBatchBytes());
        Mount.Answer answer = mount.handler()
                .answer(new Mount.Request(
                        request.prologue().method().text(),
                        rawPath.substring(mount.prefix().length()),
                        request.query().rawValue(),
                        Arrays.copyOf(held.bytes(), held.length()),
                        user));
        answer.headers().forEach((name, value) -> response.header(name, value));
        if (answer.type().isEmpty()) {
            answered = true;
            response.status(answer.status());
            response.send();
        } else {
            answer(answer.status(), answer.type(), answer.body());
        }
    }

    /** Begins a response that is written bit by bit. */
    OutputStream stream(String type) {
        answered = true;
        response.status(200);
        response.header(CONTENT_TYPE, type);
        response.header("Cache-Control", "no-store");
        response.header("X-Content-Type-Options", "nosniff");
        response.header("X-Accel-Buffering", "no");
        return response.outputStream();
    }

    @Override
    public void close() {
        BodyBudget.Body held = body;
        if (held != null) {
            held.close();
            body = null;
        }
    }
}
