package dev.postroad.protocols.http;

import dev.postroad.engine.EngineException;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.security.Authenticator;
import dev.postroad.security.Credentials;
import dev.postroad.security.Login;
import dev.postroad.security.Peer;
import dev.postroad.security.Permission.Action;
import dev.postroad.security.TlsContext;
import dev.postroad.security.User;
import io.helidon.common.tls.Tls;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.HttpException;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.http1.Http1Config;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP interface of a broker. Listens from {@link #start} on; {@link #close()} answers what waits, lets requests finish
 * and stops. It does not close the broker.
 */
public final class HttpProtocol implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(HttpProtocol.class.getName());
    private static final String BASE = "/api/v1";
    private static final Duration SWEEP = Duration.ofSeconds(1);
    private static final Duration DRAIN = Duration.ofSeconds(10);

    private static final String HEALTH = "/health/";
    private static final Authenticator GUEST = Authenticator.guestFromLoopback();

    private final HttpSettings settings;
    private final HttpAccess access;
    private final BodyBudget budget;
    private final Router router = new Router();
    private final Receiving receiving;
    private final Consuming consuming;
    private final Tailing tailing;
    private final Requesting requesting;
    private final Consumers consumers;
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicInteger active = new AtomicInteger();
    private final LongAdder requests = new LongAdder();
    private final LongAdder refusals = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final ScheduledExecutorService sweeper = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("postroad-http-sweeper").daemon(true).factory());
    private final boolean loopback;
    private final WebServer server;
    private InetSocketAddress bound;
    private volatile boolean draining;
    private volatile boolean closed;

    private HttpProtocol(Broker broker, HttpSettings settings, HttpAccess access, InetAddress address) {
        this.settings = settings;
        this.access = access;
        this.budget = new BodyBudget(settings.maxBufferedBytes());
        this.loopback = address.isLoopbackAddress();
        this.bound = new InetSocketAddress(settings.host(), settings.port());
        Catalog catalog = new Catalog(broker);
        this.consumers = new Consumers(broker);
        this.receiving = new Receiving(broker, catalog, consumers);
        this.consuming = new Consuming(broker, catalog, consumers);
        this.tailing = new Tailing(broker, catalog, consumers);
        this.requesting = new Requesting(broker, catalog, settings.maxPendingRequests());
        addRoutes(broker, catalog);
        WebServerConfig.Builder builder = WebServer.builder();
        TlsContext tls = access.tls();
        if (tls != null) {
            builder.tls(Tls.builder()
                    .sslContext(tls.context())
                    .sslParameters(tls.parameters())
                    .build());
        }
        this.server = builder.shutdownHook(false)
                .featuresDiscoverServices(false)
                .host(settings.host())
                .address(address)
                .port(settings.port())
                .backlog(1024)
                .maxTcpConnections(settings.maxConnections())
                .idleConnectionTimeout(settings.idleTimeout())
                .shutdownGracePeriod(Duration.ofSeconds(1))
                .connectionOptions(options -> options.tcpNoDelay(true).readTimeout(settings.idleTimeout()))
                .protocolsDiscoverServices(false)
                .addProtocol(Http1Config.builder()
                        .maxHeadersSize(64 * 1024)
                        .maxPrologueLength(16 * 1024)
                        .build())
                .directHandlers(directHandlers())
                .routing(routing -> routing.any(this::handle))
                .build();
    }

    /** As {@link #start(Broker, HttpSettings, HttpAccess)}, open to whoever reaches it. */
    public static HttpProtocol start(Broker broker, HttpSettings settings) throws IOException {
        return start(broker, settings, HttpAccess.OPEN);
    }

    /**
     * Listens.
     *
     * @param broker stays the caller's
     * @throws IllegalArgumentException if the host is not known
     * @throws IOException if the address can't be listened on: taken, or not allowed
     */
    public static HttpProtocol start(Broker broker, HttpSettings settings, HttpAccess access) throws IOException {
        InetAddress address;
        try {
            address = InetAddress.getByName(settings.host());
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(
                    "http: host is '" + settings.host() + "', which is no address and no known name", e);
        }
        HttpProtocol protocol = new HttpProtocol(broker, settings, access, address);
        try {
            protocol.server.start();
        } catch (UncheckedIOException | IllegalStateException e) {
            protocol.sweeper.shutdownNow();
            throw new IOException(
                    "can't listen on " + settings.host() + ":" + settings.port() + " (" + rootMessage(e)
                            + "); another process may have the port: choose another, or 0 for a free one",
                    e);
        }
        if (!protocol.server.isRunning()) {
            protocol.sweeper.shutdownNow();
            throw new IOException("can't listen on " + settings.host() + ":" + settings.port());
        }
        protocol.bound = new InetSocketAddress(settings.host(), protocol.server.port());
        long period = SWEEP.toMillis();
        protocol.sweeper.scheduleWithFixedDelay(protocol::sweep, period, period, TimeUnit.MILLISECONDS);
        return protocol;
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }

    /** Where it listens, with the port that was picked. */
    public InetSocketAddress address() {
        return bound;
    }

    // ── Routes ───────────────────────────────────────────────────────────────────────────────────────────────────────

    private void addRoutes(Broker broker, Catalog catalog) {
        Publishing publishing = new Publishing(broker, catalog);
        Settling settling = new Settling(broker, consumers);
        Declaring declaring = new Declaring(broker, catalog);
        Browsing browsing = new Browsing(broker, catalog);
        Routing routing = new Routing(broker);
        Grouping grouping = new Grouping(broker, catalog, consumers);
        Transacting transacting = new Transacting(broker, catalog, consumers);
        Monitoring monitoring = monitoring(broker);
        String channel = BASE + "/channels/{channel}";

        router.add(
                "POST",
                channel + "/messages",
                needs(Action.WRITE, "channel", publishing::toChannel),
                "atomic",
                "durability");
        router.add(
                "POST",
                BASE + "/topics/{topic}/messages",
                needs(Action.WRITE, "topic", publishing::toTopic),
                "routingKey",
                "mandatory",
                "durability");
        router.addWaiting("POST", channel + "/receive", needs(Action.READ, "channel", receiving::receive));
        router.addWaiting("POST", channel + "/consume", needs(Action.READ, "channel", consuming::consume));
        router.add("POST", channel + "/settle", needs(Action.READ, "channel", settling::settle));
        router.add("DELETE", BASE + "/consumers/{consumer}", consuming::end, "received");
        router.addWaiting(
                "GET",
                channel + "/events",
                needs(Action.READ, "channel", tailing::events),
                "from",
                "partition",
                "group",
                "filter",
                "autoAcknowledge");
        router.add("POST", BASE + "/transactions", transacting::transact);
        router.addWaiting(
                "POST", channel + "/requests", needs(Action.WRITE, "channel", requesting::request), "timeout");
        router.addWaiting("GET", BASE + "/requests/{request}", requesting::status);
        router.add("DELETE", BASE + "/requests/{request}", requesting::delete);

        router.add("GET", BASE + "/channels", declaring::list);
        router.add("PUT", channel, needs(Action.CONFIGURE, "channel", declaring::declare));
        router.add("GET", channel, declaring::describe);
        router.add("DELETE", channel, needs(Action.CONFIGURE, "channel", declaring::delete), "ifUnused", "ifEmpty");
        router.add(
                "GET",
                channel + "/messages",
                needs(Action.READ, "channel", browsing::browse),
                "filter",
                "max",
                "group",
                "after");
        router.add("DELETE", channel + "/messages", needs(Action.READ, "channel", browsing::purge));
        router.add("GET", channel + "/messages/{id}", needs(Action.READ, "channel", browsing::show), "group");
        router.add("DELETE", channel + "/messages/{id}", needs(Action.READ, "channel", browsing::cancel));
        router.add("POST", channel + "/move", needs(Action.READ, "channel", browsing::move));
        router.add("POST", channel + "/redrive", needs(Action.READ, "channel", browsing::redrive));
        router.add("GET", BASE + "/dead-letters", browsing::deadLetters);

        router.add("GET", BASE + "/topics", routing::list);
        router.add("PUT", BASE + "/topics/{topic}", needs(Action.CONFIGURE, "topic", routing::declare));
        router.add("GET", BASE + "/topics/{topic}", routing::describe);
        router.add("DELETE", BASE + "/topics/{topic}", needs(Action.CONFIGURE, "topic", routing::delete), "ifUnused");
        router.add("POST", BASE + "/topics/{topic}/bindings", needs(Action.READ, "topic", routing::bind));
        router.add("POST", BASE + "/topics/{topic}/bindings/remove", needs(Action.READ, "topic", routing::unbind));

        router.add("GET", BASE + "/streams/{stream}/partitions", needs(Action.READ, "stream", tailing::partitions));
        router.addWaiting(
                "GET",
                BASE + "/streams/{stream}/partitions/{partition}/messages",
                needs(Action.READ, "stream", tailing::fetch),
                "offset",
                "timestamp",
                "max",
                "maxBytes",
                "wait");
        router.add("GET", channel + "/groups", grouping::ofChannel);
        router.add("PUT", channel + "/groups/{group}", needs(Action.READ, "channel", grouping::declare));
        router.add("DELETE", channel + "/groups/{group}", needs(Action.READ, "channel", grouping::deleteShared));
        router.add("GET", BASE + "/groups", grouping::list);
        router.add("GET", BASE + "/groups/{group}/offsets", grouping::offsets);
        router.add("PUT", BASE + "/groups/{group}/offsets", grouping::commit);
        router.add("DELETE", BASE + "/groups/{group}", needsAll(User.ADMINISTRATOR, grouping::delete));

        Connecting connecting = new Connecting(broker.connections());
        router.add("GET", BASE + "/connections", needsAll(User.MONITORING, connecting::list));
        router.add("GET", BASE + "/connections/{connection}", needsAll(User.MONITORING, connecting::describe));
        router.add(
                "DELETE",
                BASE + "/connections/{connection}",
                needsAll(User.ADMINISTRATOR, connecting::close),
                "reason");

        router.add("GET", BASE + "/status", monitoring::status);
        router.add("GET", BASE + "/openapi.json", monitoring::openApi);
        router.add("GET", "/health/live", monitoring::live);
        router.add("GET", "/health/ready", monitoring::ready);
        router.add("GET", "/health/started", monitoring::started);
        router.add("GET", "/metrics", monitoring::metrics);
    }

    /** A handler for those who may do that with the channel, topic or stream that the path names. */
    private static Router.Handler needs(Action action, String parameter, Router.Handler handler) {
        return exchange -> {
            exchange.caller().require(action, exchange.path(parameter));
            handler.handle(exchange);
        };
    }

    /** A handler for those who may do everything, or have this tag. */
    private static Router.Handler needsAll(String tag, Router.Handler handler) {
        return exchange -> {
            exchange.caller().requireAll(tag);
            handler.handle(exchange);
        };
    }

    private Monitoring monitoring(Broker broker) {
        Monitoring monitoring = new Monitoring(broker, () -> draining, access.users() == null);
        monitoring.gauge("postroad_http_active_requests", active::get);
        monitoring.gauge("postroad_http_waiting_requests", waiting::get);
        monitoring.gauge("postroad_http_streams", () -> consuming.open() + tailing.open());
        monitoring.gauge("postroad_http_pending_replies", requesting::pending);
        monitoring.gauge("postroad_http_buffered_body_bytes", budget::held);
        monitoring.counter("postroad_http_requests_total", requests::sum);
        monitoring.counter("postroad_http_refused_requests_total", refusals::sum);
        monitoring.counter("postroad_http_failed_requests_total", failures::sum);
        return monitoring;
    }

    /** What is offered, for the test that compares it with the document. */
    static List<Router.Route> routes(Broker broker) throws IOException {
        HttpProtocol protocol = new HttpProtocol(
                broker,
                HttpSettings.DEFAULT.withAddress("127.0.0.1", 0),
                HttpAccess.OPEN,
                InetAddress.getLoopbackAddress());
        protocol.sweeper.shutdownNow();
        return protocol.router.routes();
    }

    // ── One request ──────────────────────────────────────────────────────────────────────────────────────────────────

    private void handle(ServerRequest request, ServerResponse response) {
        requests.increment();
        active.incrementAndGet();
        Exchange exchange = null;
        boolean waits = false;
        try {
            requireTrusted(request);
            String rawPath = request.prologue().uriPath().rawPath();
            User user = rawPath.startsWith(HEALTH) ? null : login(request);
            Caller caller = user == null ? Caller.NOBODY : new Caller(user, access.names());
            Mount mount = mount(rawPath);
            if (mount != null && user != null) {
                exchange = new Exchange(request, response, settings, budget, caller, Router.Match.NONE);
                exchange.answer(mount, rawPath, user);
                return;
            }
            Router.Match match = router.match(
                    request.prologue().method().text(), rawPath, request.query().rawValue());
            waits = match.route().waits();
            if (waits && waiting.incrementAndGet() > settings.maxWaiting()) {
                throw Problem.full("there are " + settings.maxWaiting()
                        + " long polls and streams already, the most allowed (maxWaiting)");
            }
            exchange = new Exchange(request, response, settings, budget, caller, match);
            match.route().handler().handle(exchange);
        } catch (Throwable e) {
            fail(request, response, exchange, e);
        } finally {
            if (waits) {
                waiting.decrementAndGet();
            }
            if (exchange != null) {
                exchange.close();
            }
            active.decrementAndGet();
        }
    }

    /**
     * Keeps web pages out: a page in the operator's browser must not reach a broker on loopback, neither by a request of its
     * own, with a login that the browser remembers, nor by a name that it makes resolve to loopback.
     */
    private void requireTrusted(ServerRequest request) {
        String host = request.headers().first(HeaderNames.HOST).orElse("");
        String name = host.replaceFirst(":\\d*$", "");
        if (loopback && !isLoopbackName(name)) {
            throw new Problem(
                    403,
                    "DENIED",
                    "this server listens on loopback and answers only to localhost, not to the name '"
                            + (name.length() <= 60 ? name : name.substring(0, 60) + "…") + "'");
        }
        String origin = request.headers().first(HeaderNames.ORIGIN).orElse(null);
        if (origin != null && !origin.replaceFirst("^https?://", "").equals(host)) {
            throw new Problem(403, "DENIED", "requests of web pages from other origins are not accepted");
        }
    }

    /** What others answer: everything below a prefix of theirs that is not the broker's own. */
    private @Nullable Mount mount(String rawPath) {
        if (!rawPath.equals(BASE) && !rawPath.startsWith(BASE + "/")) {
            for (Mount mount : access.mounts()) {
                if (mount.takes(rawPath)) {
                    return mount;
                }
            }
        }
        return null;
    }

    /**
     * Who asks.
     *
     * @throws Problem 401 where a login is needed, or what was sent is none
     */
    private User login(ServerRequest request) {
        String authorization =
                request.headers().first(HeaderNames.AUTHORIZATION).orElse(null);
        Authenticator users = access.users();
        if (authorization == null) {
            if (users == null) {
                return User.GUEST;
            }
            throw unauthorized("log in with HTTP Basic: a user of the server's file of users");
        }
        Credentials credentials;
        try {
            credentials = Credentials.basic(authorization);
        } catch (IllegalArgumentException e) {
            throw unauthorized(String.valueOf(e.getMessage()));
        }
        return switch ((users == null ? GUEST : users).login(credentials, peer(request))) {
            case Login.Accepted accepted -> accepted.user();
            case Login.Refused refused -> throw unauthorized(refused.reason());
        };
    }

    private static Problem unauthorized(String detail) {
        return new Problem(401, "UNAUTHENTICATED", detail)
                .with("challenge", "Basic realm=\"Postroad\", charset=\"UTF-8\"");
    }

    private Peer peer(ServerRequest request) {
        if (!(request.remotePeer().address() instanceof InetSocketAddress address) || address.getAddress() == null) {
            throw unauthorized("the connection has no address");
        }
        return new Peer(address.getAddress(), access.tls() != null, null);
    }

    private boolean isLoopbackName(String name) {
        return name.equalsIgnoreCase("localhost")
                || name.startsWith("127.")
                || name.equals("[::1]")
                || name.equalsIgnoreCase(settings.host());
    }

    private void fail(ServerRequest request, ServerResponse response, @Nullable Exchange exchange, Throwable e) {
        if (e instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        if (e instanceof ServerConnectionException || (exchange != null && exchange.answered())) {
            // The client is gone, or half of a stream is: there is nobody to tell, and the connection must not be used
            // again.
            throw new ServerConnectionException("the connection is given up", e);
        }
        Problem problem = problem(request, e);
        if (problem.status() >= 500 && problem.status() != 503) {
            failures.increment();
        } else {
            refusals.increment();
        }
        Exchange answering = exchange != null
                ? exchange
                : new Exchange(request, response, settings, budget, Caller.NOBODY, Router.Match.NONE);
        answering.answer(problem);
    }

    private Problem problem(ServerRequest request, Throwable e) {
        return switch (e) {
            case Problem problem -> problem;
            case EngineException refused -> Problem.of(refused);
            case HttpException http ->
                new Problem(
                        http.status().code(),
                        http.status().code() == 413 ? "TOO_LARGE" : "INVALID",
                        String.valueOf(http.getMessage()));
            case InterruptedException interrupted -> new Problem(503, "CLOSED", "the server is closing");
            case OutOfMemoryError memory -> {
                LOG.log(System.Logger.Level.ERROR, "out of memory in a request");
                yield Problem.full("the server has no memory left for this request");
            }
            case IllegalArgumentException invalid -> Problem.invalid(String.valueOf(invalid.getMessage()));
            default -> {
                LOG.log(
                        System.Logger.Level.ERROR,
                        request.prologue().method().text() + " "
                                + request.prologue().uriPath().rawPath() + " failed",
                        e);
                yield new Problem(
                        500, "FAILED", "the request failed for a reason of the server's own; its log tells more");
            }
        };
    }

    /** What the web server refuses before it gets here, told in the same way. */
    private static DirectHandlers directHandlers() {
        DirectHandlers.Builder handlers = DirectHandlers.builder();
        for (DirectHandler.EventType event : DirectHandler.EventType.values()) {
            handlers.addHandler(event, HttpProtocol::refuse);
        }
        return handlers.build();
    }

    private static DirectHandler.TransportResponse refuse(
            DirectHandler.TransportRequest request,
            DirectHandler.EventType event,
            Status status,
            ServerResponseHeaders headers,
            String message) {
        boolean own = status.code() >= 500;
        Problem problem = new Problem(
                status.code(),
                own ? "FAILED" : status.code() == 413 ? "TOO_LARGE" : "INVALID",
                own
                        ? "the request failed for a reason of the server's own"
                        : "no valid HTTP request: " + status.reasonPhrase());
        return DirectHandler.TransportResponse.builder()
                .status(status)
                .keepAlive(false)
                .header(HeaderNames.CONTENT_TYPE, "application/problem+json")
                .entity(Json.text(problem.members()))
                .build();
    }

    // ── Now and then, and in the end ─────────────────────────────────────────────────────────────────────────────────

    private void sweep() {
        try {
            receiving.sweep();
            consuming.sweep();
            tailing.sweep();
            requesting.sweep();
            consumers.sweep();
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "looking after connections failed", e);
        }
    }

    /** As {@link #close(Duration)} with 10 seconds. */
    @Override
    public void close() {
        close(DRAIN);
    }

    /**
     * Ends streams and long polls, waits for other requests to be answered, and stops. Idempotent.
     *
     * @param deadline how long to wait; what is still at work then is cut off
     */
    public void close(Duration deadline) {
        if (closed) {
            return;
        }
        closed = true;
        draining = true;
        receiving.drain();
        consuming.drain();
        tailing.drain();
        long until = System.nanoTime() + deadline.toNanos();
        while (active.get() > 0 && System.nanoTime() < until) {
            try {
                TimeUnit.MILLISECONDS.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        server.stop();
        sweeper.shutdownNow();
        consumers.all().forEach(this::closeConsumer);
        requesting.close();
    }

    private void closeConsumer(HttpConsumer consumer) {
        try {
            consumers.close(consumer);
        } catch (EngineException e) {
            LOG.log(System.Logger.Level.DEBUG, "a consumer could not be closed: {0}", e.getMessage());
        }
    }
}
