package dev.postroad.protocols.amqp091.management;

import dev.postroad.engine.Command;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.engine.runtime.Connections.Details;
import dev.postroad.protocols.amqp091.Declarations;
import dev.postroad.protocols.amqp091.Declarations.Bound;
import dev.postroad.protocols.amqp091.Rights;
import dev.postroad.security.AccessException;
import dev.postroad.security.Permission.Action;
import dev.postroad.security.User;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Answers what tools made for RabbitMQ ask: method, path, query, body and who asks go in, status and JSON come out. A user
 * needs one of the tags {@code management}, {@code policymaker}, {@code monitoring} and {@code administrator}; the last for
 * users, definitions and other users' connections. Safe for use by many threads; may block, so never called on an event loop.
 */
public final class ManagementApi {
    private static final System.Logger LOG = System.getLogger(ManagementApi.class.getName());
    private static final String POLICYMAKER = "policymaker";
    private static final Set<String> TAGS = Set.of("management", POLICYMAKER, User.MONITORING, User.ADMINISTRATOR);

    private final Broker broker;
    private final ManagementSettings settings;
    private final Overview overview;
    private final Objects objects;
    private final Users users;
    private final Messages messages;
    private final PolicyObjects policies;
    private final DefinitionsFile definitions;
    private final Rates rates = new Rates(System::nanoTime);
    private final Rates connectionRates = new Rates(System::nanoTime);
    private final Set<String> predeclared = ConcurrentHashMap.newKeySet();

    /** @param broker stays the caller's */
    public ManagementApi(Broker broker, ManagementSettings settings) {
        this.broker = broker;
        this.settings = settings;
        this.overview = new Overview(broker, settings);
        this.objects = new Objects(broker);
        this.users = new Users(settings.users(), settings.virtualHosts(), broker.connections());
        this.messages = new Messages(broker);
        this.policies = new PolicyObjects(broker);
        this.definitions = new DefinitionsFile(objects, policies, users, settings);
    }

    /**
     * An answer.
     *
     * @param json empty where there is nothing to say
     * @param location of what was made; null for none
     */
    public record Response(
            int status, byte[] json, @Nullable String location) {}

    /** One request, as its handlers see it. */
    private record Request(String method, List<String> path, Map<String, String> query, byte[] body, User user) {
        String at(int index) {
            return path.get(index);
        }

        boolean is(String wanted) {
            return method.equals(wanted) || (wanted.equals("GET") && method.equals("HEAD"));
        }

        boolean flag(String name) {
            return "true".equals(query.get(name));
        }

        ManagementJson json() {
            return ManagementJson.read(body);
        }
    }

    /**
     * Answers; never throws for what a client did.
     *
     * @param path below {@code /api}, percent-encoded
     * @param query percent-encoded; null for none
     */
    public Response answer(String method, String path, @Nullable String query, byte[] body, User user) {
        try {
            Request request = new Request(method, segments(path), query(query), body, user);
            requireTag(request);
            return route(request);
        } catch (ApiProblem e) {
            return problem(e.status(), e.error(), e.reason());
        } catch (EngineException e) {
            return switch (e.reason()) {
                case NOT_FOUND -> problem(404, "Object Not Found", "Not Found");
                case FULL, CLOSED, STORAGE_FAILED -> problem(503, "unavailable", String.valueOf(e.getMessage()));
                case DAMAGED -> problem(500, "internal_error", String.valueOf(e.getMessage()));
                default -> problem(400, "bad_request", String.valueOf(e.getMessage()));
            };
        } catch (AccessException | IllegalArgumentException e) {
            return problem(400, "bad_request", String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, method + " /api" + path + " failed", e);
            return problem(
                    500, "internal_error", "the request failed for a reason of the server's own; its log tells more");
        }
    }

    private static Response problem(int status, String error, String reason) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("error", error);
        json.put("reason", reason);
        return json(status, json);
    }

    private static Response json(int status, @Nullable Object value) {
        return new Response(status, ManagementJson.MAPPER.writeValueAsBytes(value), null);
    }

    private static Response ok(@Nullable Object value) {
        return json(200, value);
    }

    private static Response nothing(int status) {
        return new Response(status, new byte[0], null);
    }

    private static Response made(boolean isNew) {
        return nothing(isNew ? 201 : 204);
    }

    // ── What is asked ────────────────────────────────────────────────────────────────────────────────────────────────

    private static List<String> segments(String path) {
        List<String> segments = new ArrayList<>();
        for (String segment : path.split("/", -1)) {
            segments.add(URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8));
        }
        segments.removeFirst();
        if (!segments.isEmpty() && segments.getLast().isEmpty()) {
            segments.removeLast();
        }
        return segments;
    }

    private static Map<String, String> query(@Nullable String raw) {
        Map<String, String> query = new LinkedHashMap<>();
        for (String pair : raw == null ? new String[0] : raw.split("&")) {
            int equals = pair.indexOf('=');
            String name = URLDecoder.decode(equals < 0 ? pair : pair.substring(0, equals), StandardCharsets.UTF_8);
            if (!name.isEmpty()) {
                query.put(
                        name, equals < 0 ? "" : URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
            }
        }
        return query;
    }

    private static void requireTag(Request request) {
        if (request.user().tags().stream().noneMatch(TAGS::contains)) {
            throw ApiProblem.notAllowed("Not management user");
        }
    }

    private static void requireAdministrator(Request request) {
        if (!request.user().isAdministrator()) {
            throw ApiProblem.notAllowed("Not administrator user");
        }
    }

    private static boolean seesAll(User user) {
        return user.isAdministrator() || user.tags().contains(User.MONITORING);
    }

    private String vhost(Request request, int index) {
        String name = request.at(index);
        if (!settings.virtualHosts().contains(name)) {
            throw ApiProblem.notFound();
        }
        if (!seesAll(request.user()) && rights(request, name).enter() != null) {
            throw ApiProblem.notAllowed("User not authorised to access virtual host");
        }
        if (predeclared.add(name)) {
            objects.predeclare(name);
        }
        return name;
    }

    private static Rights rights(Request request, String vhost) {
        return new Rights(request.user(), vhost);
    }

    /** Of what is done to objects. */
    private static void require(@Nullable String refusal) {
        if (refusal != null) {
            throw ApiProblem.notAllowed("ACCESS_REFUSED - " + refusal);
        }
    }

    /** The virtual hosts that this user sees. */
    private List<String> visible(User user) {
        return settings.virtualHosts().stream()
                .filter(host -> seesAll(user) || user.permissions().in(host).isPresent())
                .toList();
    }

    private @Nullable String vhostIfAny(Request request, int index) {
        return request.path().size() > index ? vhost(request, index) : null;
    }

    /** With the connections that this user may see. */
    private Snapshot snapshot(User user) {
        List<Details> connections = broker.connections().list().stream()
                .filter(connection -> connection.vhost() != null)
                .filter(connection -> seesAll(user) || user.name().equals(connection.user()))
                .toList();
        return new Snapshot(broker.await(Command.Inspect::new), connections, settings.node(), rates, connectionRates);
    }

    /** Without connections, each of which has to be asked. */
    private Snapshot objects() {
        return new Snapshot(broker.await(Command.Inspect::new), List.of(), settings.node(), rates, connectionRates);
    }

    // ── Who answers ──────────────────────────────────────────────────────────────────────────────────────────────────

    private Response route(Request request) {
        List<String> path = request.path();
        if (path.isEmpty()) {
            throw ApiProblem.notFound();
        }
        return switch (path.getFirst()) {
            case "overview",
                    "cluster-name",
                    "nodes",
                    "whoami",
                    "extensions",
                    "auth",
                    "feature-flags",
                    "health",
                    "healthchecks",
                    "aliveness-test" -> state(request);
            case "connections", "channels", "consumers" -> connections(request);
            case "queues" -> queues(request);
            case "exchanges" -> exchanges(request);
            case "bindings" -> bindings(request);
            case "vhosts" -> vhosts(request);
            case "users", "permissions", "topic-permissions" -> users(request);
            case "definitions" -> definitions(request);
            case "policies", "operator-policies" -> policies(request);
            case "parameters", "global-parameters", "vhost-limits", "user-limits" -> none(request);
            default -> throw ApiProblem.notFound();
        };
    }

    private static ApiProblem notHere(Request request) {
        return request.is("GET")
                ? ApiProblem.notFound()
                : new ApiProblem(405, "method_not_allowed", request.method() + " is not supported here");
    }

    /** Lists of what there is none of here, and never can be. */
    private static Response none(Request request) {
        if (!request.is("GET")) {
            throw ApiProblem.notSupported(request.at(0) + " are not supported here");
        }
        if (request.path().size() > 2) {
            throw ApiProblem.notFound();
        }
        return ok(List.of());
    }

    private Response state(Request request) {
        if (!request.is("GET")) {
            throw notHere(request);
        }
        String rest = String.join("/", request.path().subList(1, request.path().size()));
        return switch (request.at(0)) {
            case "overview" -> ok(new Listing(request.query()).columns(overview.overview(snapshot(request.user()))));
            case "cluster-name" -> ok(Map.of("name", settings.node()));
            case "whoami" -> {
                Map<String, Object> json = new LinkedHashMap<>();
                json.put("name", request.user().name());
                json.put("tags", List.copyOf(request.user().tags()));
                yield ok(json);
            }
            case "nodes" -> {
                if (!seesAll(request.user())) {
                    throw ApiProblem.notAllowed("Not monitor user");
                }
                if (!rest.isEmpty() && !rest.equals(settings.node())) {
                    throw ApiProblem.notFound();
                }
                yield rest.isEmpty()
                        ? ok(new Listing(request.query()).of(List.of(overview.node())))
                        : ok(new Listing(request.query()).columns(overview.node()));
            }
            case "aliveness-test" -> {
                vhost(request, 1);
                yield health(overview.alarm());
            }
            case "health" -> health(request, rest);
            case "healthchecks" -> health(overview.alarm());
            case "auth" -> ok(Map.of("enable_uaa", false, "uaa_client_id", "", "uaa_location", ""));
            default -> ok(List.of());
        };
    }

    private static Response health(@Nullable String failure) {
        return failure == null ? ok(Map.of("status", "ok")) : json(503, Map.of("status", "failed", "reason", failure));
    }

    private Response health(Request request, String rest) {
        if (rest.startsWith("checks/port-listener/")) {
            String port = rest.substring("checks/port-listener/".length());
            List<Integer> ports = settings.listeners().get().stream()
                    .map(ManagementSettings.Listener::port)
                    .toList();
            return ports.stream().anyMatch(open -> port.equals(String.valueOf(open)))
                    ? ok(Map.of("status", "ok", "port", Integer.valueOf(port)))
                    : missing("ports", ports, port);
        }
        if (rest.startsWith("checks/protocol-listener/")) {
            String protocol = rest.substring("checks/protocol-listener/".length())
                    .toLowerCase(Locale.ROOT)
                    .replace("amqps", "amqp/ssl")
                    .replaceFirst("^amqp(091|0-9-1|0\\.9\\.1)$", "amqp");
            List<String> protocols = settings.listeners().get().stream()
                    .map(ManagementSettings.Listener::protocol)
                    .toList();
            return protocols.contains(protocol)
                    ? ok(Map.of("status", "ok", "protocol", protocol))
                    : missing("protocols", protocols, protocol);
        }
        return switch (rest) {
            case "checks/alarms", "checks/local-alarms" -> health(overview.alarm());
            case "checks/virtual-hosts" -> health(broker.failure().orElse(null));
            case "checks/node-is-mirror-sync-critical", "checks/node-is-quorum-critical" ->
                ok(Map.of("status", "ok", "reason", "single node cluster"));
            default -> throw notHere(request);
        };
    }

    private static Response missing(String what, List<?> there, String wanted) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("status", "failed");
        json.put("reason", "No active listener");
        json.put("missing", wanted);
        json.put(what, there);
        return json(503, json);
    }

    private Response connections(Request request) {
        List<String> path = request.path();
        Snapshot snapshot = snapshot(request.user());
        Listing listing = new Listing(request.query());
        if (path.getFirst().equals("consumers") && request.is("GET")) {
            return ok(listing.of(snapshot.consumers(vhostIfAny(request, 1))));
        }
        if (path.getFirst().equals("channels") && request.is("GET")) {
            List<Map<String, @Nullable Object>> channels = snapshot.channels(null, null);
            return path.size() == 1
                    ? ok(listing.of(channels))
                    : ok(listing.columns(channels.stream()
                            .filter(channel -> path.get(1).equals(channel.get("name")))
                            .findFirst()
                            .orElseThrow(ApiProblem::notFound)));
        }
        if (!path.getFirst().equals("connections")) {
            throw notHere(request);
        }
        if (path.size() == 1 && request.is("GET")) {
            return ok(listing.of(
                    snapshot.connections().stream().map(snapshot::connection).toList()));
        }
        if (path.size() == 3 && path.get(1).equals("username") && request.is("GET")) {
            return ok(listing.of(snapshot.connections().stream()
                    .filter(connection -> path.get(2).equals(connection.user()))
                    .map(snapshot::connection)
                    .toList()));
        }
        Details connection = snapshot.connections().stream()
                .filter(each -> path.size() > 1 && each.name().equals(path.get(1)))
                .findFirst()
                .orElseThrow(ApiProblem::notFound);
        if (path.size() == 3 && path.get(2).equals("channels") && request.is("GET")) {
            return ok(listing.of(snapshot.channels(null, connection.name())));
        }
        if (path.size() == 2 && request.is("GET")) {
            return ok(listing.columns(snapshot.connection(connection)));
        }
        if (path.size() == 2 && request.is("DELETE")) {
            if (!request.user().name().equals(connection.user())) {
                requireAdministrator(request);
            }
            broker.connections().close(connection.name(), "Closed via management plugin");
            return nothing(204);
        }
        throw notHere(request);
    }

    private Response queues(Request request) {
        int size = request.path().size();
        if (size <= 2 && request.is("GET")) {
            String only = vhostIfAny(request, 1);
            Snapshot snapshot = objects();
            List<Map<String, @Nullable Object>> all = new ArrayList<>();
            (only == null ? visible(request.user()) : List.of(only))
                    .forEach(vhost -> all.addAll(snapshot.queues(vhost)));
            return ok(new Listing(request.query()).of(all));
        }
        if (size < 3) {
            throw notHere(request);
        }
        String vhost = vhost(request, 1);
        String name = request.at(2);
        Rights rights = rights(request, vhost);
        String what = size == 3 ? "" : size == 4 ? request.at(3) : "?";
        return switch (request.method() + " " + what) {
            case "GET ", "HEAD " ->
                ok(new Listing(request.query()).columns(snapshot(request.user()).queue(vhost, name)));
            case "PUT " -> {
                Declarations.Queue queue = objects.readQueue(vhost, name, request.json());
                require(rights.declare(queue));
                yield made(objects.declare(queue));
            }
            case "DELETE " -> {
                require(rights.queue(Action.CONFIGURE, name));
                objects.deleteQueue(vhost, name, request.flag("if-unused"), request.flag("if-empty"));
                yield nothing(204);
            }
            case "DELETE contents" -> {
                require(rights.queue(Action.READ, name));
                objects.purge(vhost, name);
                yield nothing(204);
            }
            case "POST get" -> {
                require(rights.queue(Action.READ, name));
                yield ok(messages.get(vhost, name, request.json()));
            }
            case "GET bindings" -> {
                Snapshot snapshot = objects();
                snapshot.queue(vhost, name);
                yield listed(snapshot.bindings(vhost).stream()
                        .filter(binding ->
                                !binding.toExchange() && binding.destination().equals(name))
                        .toList());
            }
            default -> throw notHere(request);
        };
    }

    private static Response listed(List<Bound> bindings) {
        return ok(bindings.stream().map(Snapshot::json).toList());
    }

    private Response exchanges(Request request) {
        int size = request.path().size();
        Snapshot snapshot = objects();
        if (size <= 2 && request.is("GET")) {
            String vhost = vhostIfAny(request, 1);
            return ok(new Listing(request.query())
                    .of(snapshot.exchanges(vhost == null ? visible(request.user()) : List.of(vhost))));
        }
        if (size < 3) {
            throw notHere(request);
        }
        String vhost = vhost(request, 1);
        String name = request.at(2).equals("amq.default") ? "" : request.at(2);
        Rights rights = rights(request, vhost);
        String what = String.join("/", request.path().subList(3, size));
        return switch (request.method() + " " + what) {
            case "GET ", "HEAD " -> ok(new Listing(request.query()).columns(snapshot.exchange(vhost, name)));
            case "PUT " -> {
                Declarations.Exchange exchange = objects.readExchange(vhost, name, request.json());
                require(rights.declare(exchange));
                yield made(objects.declare(exchange));
            }
            case "DELETE " -> {
                require(rights.exchange(Action.CONFIGURE, name));
                objects.deleteExchange(vhost, name, request.flag("if-unused"));
                yield nothing(204);
            }
            case "POST publish" -> {
                require(rights.exchange(Action.WRITE, name));
                snapshot.exchange(vhost, name);
                yield ok(messages.publish(
                        vhost, name, request.json(), request.user().name()));
            }
            case "GET bindings/source" -> {
                snapshot.exchange(vhost, name);
                yield listed(snapshot.bindings(vhost).stream()
                        .filter(binding -> binding.source().equals(name))
                        .toList());
            }
            case "GET bindings/destination" -> {
                snapshot.exchange(vhost, name);
                yield listed(snapshot.bindings(vhost).stream()
                        .filter(binding ->
                                binding.toExchange() && binding.destination().equals(name))
                        .toList());
            }
            default -> throw notHere(request);
        };
    }

    /** {@code /bindings[/vhost[/e/SOURCE/(q|e)/DESTINATION[/KEY]]]} */
    private Response bindings(Request request) {
        int size = request.path().size();
        Snapshot snapshot = objects();
        if (size <= 2 && request.is("GET")) {
            String only = vhostIfAny(request, 1);
            List<Map<String, @Nullable Object>> all = new ArrayList<>();
            for (String vhost : only == null ? visible(request.user()) : List.of(only)) {
                snapshot.bindings(vhost).forEach(binding -> all.add(Snapshot.json(binding)));
            }
            return ok(new Listing(request.query()).of(all));
        }
        if (size < 6
                || size > 7
                || !request.at(2).equals("e")
                || !Set.of("q", "e").contains(request.at(4))) {
            throw notHere(request);
        }
        String vhost = vhost(request, 1);
        String source = request.at(3).equals("amq.default") ? "" : request.at(3);
        String destination = request.at(5);
        boolean toExchange = request.at(4).equals("e");
        List<Bound> between = snapshot.bindings(vhost).stream()
                .filter(binding -> binding.source().equals(source)
                        && binding.destination().equals(destination)
                        && binding.toExchange() == toExchange)
                .toList();
        if (size == 6 && request.is("GET")) {
            return listed(between);
        }
        if (size == 6 && request.is("POST")) {
            ManagementJson body = request.json();
            Bound binding = new Bound(
                    vhost, source, destination, toExchange, body.text("routing_key", ""), body.table("arguments"));
            body.ignore("vhost", "source", "destination", "destination_type", "properties_key");
            body.requireNothingLeft();
            require(rights(request, vhost).bind(binding));
            objects.bind(binding);
            return new Response(201, new byte[0], destination + "/" + Snapshot.propertiesKey(binding));
        }
        if (size == 7) {
            Bound binding = between.stream()
                    .filter(each -> Snapshot.propertiesKey(each).equals(request.at(6)))
                    .findFirst()
                    .orElseThrow(ApiProblem::notFound);
            if (request.is("GET")) {
                return ok(Snapshot.json(binding));
            }
            if (request.is("DELETE")) {
                require(rights(request, vhost).bind(binding));
                objects.unbind(binding);
                return nothing(204);
            }
        }
        throw notHere(request);
    }

    private Response vhosts(Request request) {
        int size = request.path().size();
        Snapshot snapshot = snapshot(request.user());
        if (size == 1 && request.is("GET")) {
            return ok(new Listing(request.query())
                    .of(visible(request.user()).stream()
                            .map(name -> vhost(snapshot, name))
                            .toList()));
        }
        if (size == 2 && (request.is("PUT") || request.is("DELETE"))) {
            requireAdministrator(request);
            if (request.is("PUT") && settings.virtualHosts().contains(request.at(1))) {
                return nothing(204);
            }
            throw ApiProblem.notSupported(
                    "virtual hosts are named in the server's configuration," + " 'server.amqp.virtual-hosts'");
        }
        String name = vhost(request, 1);
        String what = size == 2 ? "" : size == 3 ? request.at(2) : "?";
        return switch (request.method() + " " + what) {
            case "GET ", "HEAD " -> ok(vhost(snapshot, name));
            case "GET permissions" -> ok(users.permissions(null, name));
            case "GET topic-permissions" -> ok(List.of());
            case "GET connections" ->
                ok(new Listing(request.query())
                        .of(snapshot.connections().stream()
                                .filter(connection -> name.equals(connection.vhost()))
                                .map(snapshot::connection)
                                .toList()));
            case "GET channels" -> ok(new Listing(request.query()).of(snapshot.channels(name, null)));
            default -> throw notHere(request);
        };
    }

    private Map<String, @Nullable Object> vhost(Snapshot snapshot, String name) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", name);
        json.put("description", name.equals("/") ? "Default virtual host" : "");
        json.put("tags", List.of());
        json.put("metadata", Map.of("description", String.valueOf(json.get("description")), "tags", List.of()));
        json.put("default_queue_type", "undefined");
        json.put("tracing", false);
        json.put("cluster_state", Map.of(settings.node(), "running"));
        json.putAll(snapshot.messageTotals(name));
        return json;
    }

    private Response users(Request request) {
        requireAdministrator(request);
        List<String> path = request.path();
        int size = path.size();
        String first = path.getFirst();
        if (first.equals("topic-permissions") && request.is("GET")) {
            return ok(List.of());
        }
        if (first.equals("permissions")) {
            if (size == 1 && request.is("GET")) {
                return ok(users.permissions(null, null));
            }
            if (size == 3) {
                String vhost = vhost(request, 1);
                users.find(path.get(2));
                List<Map<String, @Nullable Object>> known = users.permissions(path.get(2), vhost);
                if (request.is("PUT")) {
                    users.setPermissions(path.get(2), vhost, request.json());
                    return made(known.isEmpty());
                }
                if (request.is("DELETE")) {
                    users.clearPermissions(path.get(2), vhost);
                    return nothing(204);
                }
                if (known.isEmpty()) {
                    throw ApiProblem.notFound();
                }
                if (request.is("GET")) {
                    return ok(known.getFirst());
                }
            }
            throw notHere(request);
        }
        if (!first.equals("users")) {
            throw notHere(request);
        }
        if (size == 1 && request.is("GET")) {
            return ok(new Listing(request.query()).of(users.list()));
        }
        if (size == 2 && path.get(1).equals("without-permissions") && request.is("GET")) {
            return ok(users.withoutPermissions());
        }
        if (size == 2) {
            return switch (request.method()) {
                case "GET", "HEAD" -> ok(users.find(path.get(1)));
                case "PUT" -> made(users.put(path.get(1), request.json()));
                case "DELETE" -> {
                    users.delete(path.get(1));
                    yield nothing(204);
                }
                default -> throw notHere(request);
            };
        }
        if (size == 3 && request.is("GET")) {
            users.find(path.get(1));
            return switch (path.get(2)) {
                case "permissions" -> ok(users.permissions(path.get(1), null));
                case "topic-permissions" -> ok(List.of());
                default -> throw notHere(request);
            };
        }
        throw notHere(request);
    }

    private Response policies(Request request) {
        boolean operator = request.at(0).equals("operator-policies");
        if (operator && !request.is("GET")) {
            requireAdministrator(request);
        } else if (!request.user().isAdministrator() && !request.user().tags().contains(POLICYMAKER)) {
            throw ApiProblem.notAllowed("Not policymaker user");
        }
        String vhost = vhostIfAny(request, 1);
        int size = request.path().size();
        if (size <= 2 && request.is("GET")) {
            return ok(new Listing(request.query()).of(policies.list(operator, vhost)));
        }
        if (vhost == null || size != 3) {
            throw notHere(request);
        }
        String name = request.at(2);
        return switch (request.method()) {
            case "GET", "HEAD" -> ok(policies.find(operator, vhost, name));
            case "PUT" -> made(policies.put(operator, vhost, name, request.json()));
            case "DELETE" -> {
                policies.delete(operator, vhost, name);
                yield nothing(204);
            }
            default -> throw notHere(request);
        };
    }

    private Response definitions(Request request) {
        requireAdministrator(request);
        String only = vhostIfAny(request, 1);
        if (request.path().size() > 2) {
            throw notHere(request);
        }
        if (request.is("GET")) {
            return ok(definitions.export(objects(), only));
        }
        if (request.is("POST") || request.is("PUT")) {
            settings.virtualHosts().stream().filter(predeclared::add).forEach(objects::predeclare);
            List<String> notApplied = definitions.apply(request.json(), only);
            return notApplied.isEmpty() ? nothing(204) : ok(Map.of("not_applied", notApplied));
        }
        throw notHere(request);
    }
}
