package dev.postroad.proof.process;

import dev.postroad.api.Administration.ChannelStatus;
import dev.postroad.api.Postroad;
import dev.postroad.proof.history.History;
import dev.postroad.proof.history.Payload;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.regex.Pattern;

/**
 * {@code cut-connections}: the same small session again and again through a proxy that resets every connection behind byte N, for
 * N over the whole session. The client sends again, under the same id, what it does not know of.
 */
public final class CutConnectionsExperiment implements Experiment {
    private static final Pattern SPACES = Pattern.compile(" +");
    private static final int MESSAGES = 8;
    private static final int BATCH = 3;
    private static final int TRIES = 20;
    private static final Duration WAIT = Duration.ofMillis(500);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Lane.Mix MIX = new Lane.Mix(0, 1, 0, 0, 1, 1, 4, 64);

    /** For the book. */
    public CutConnectionsExperiment() {}

    @Override
    public String name() {
        return "cut-connections";
    }

    @Override
    public String question() {
        return "Does a connection cut behind any byte lose, double or disorder messages, or leave something behind?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws Exception {
        Results results = Results.of(name(), budget.seed());
        Random random = new Random(budget.seed());
        long begin = System.nanoTime();
        long cuts = 0;
        long length;
        try (Workplace place = Workplace.make(name());
                ServeBroker.Server server = new ServeBroker().start(place.at("data"));
                CuttingProxy proxy = new CuttingProxy(port(server.authority()))) {
            Session session = new Session(server, proxy, results);
            proxy.cutAfter(Long.MAX_VALUE);
            session.run(random.nextInt());
            length = proxy.passed();
            // A sweep whose steps get smaller: each time round it visits bytes that were not tried before.
            long step = Math.max(1, length / 16);
            long at = 1;
            while (cuts < 5 || System.nanoTime() - begin < budget.time().toNanos() * 0.9) {
                proxy.cutAfter(at);
                session.run(random.nextInt());
                cuts++;
                at += step + random.nextLong(Math.max(1, step / 2));
                if (at > length) {
                    at = 1 + random.nextLong(Math.max(1, step));
                    step = Math.max(1, step / 2);
                }
                progress.at(
                        (System.nanoTime() - begin) / (double) budget.time().toNanos(),
                        cuts + " cuts of a session of " + length + " bytes");
            }
            session.requireNothingLeft();
        } catch (AssertionError e) {
            results.violation("after " + cuts + " cuts: " + e.getMessage());
            length = 0;
        }
        results.count("bytes of a session", length);
        results.count("connections cut", cuts);
        return results.outcome();
    }

    private static int port(String authority) {
        return Integer.parseInt(authority.substring(authority.lastIndexOf(':') + 1));
    }

    private static final class Session {
        private final ServeBroker.Server server;
        private final CuttingProxy proxy;
        private final Results results;

        Session(ServeBroker.Server server, CuttingProxy proxy, Results results) {
            this.server = server;
            this.proxy = proxy;
            this.results = results;
        }

        /** Sends and receives on a channel of its own, which is deleted at the end. */
        void run(int run) throws Exception {
            Lane lane = new Lane("cut", Lane.Kind.QUEUE, run, MIX);
            History history = lane.history();
            long cut = proxy.passed();
            try (Postroad direct = Postroad.connect(server.url())) {
                direct.declare(ApiLoad.queue(lane.channel()));
                try (Postroad postroad = Postroad.connect("http://127.0.0.1:" + proxy.port())) {
                    ApiLoad load = new ApiLoad(postroad, ApiLoad.queue(lane.channel()));
                    for (int i = 0; i < MESSAGES; i++) {
                        sendUntilConfirmed(lane, load, history, i, 1);
                    }
                    sendUntilConfirmed(lane, load, history, MESSAGES, BATCH);
                    receive(load, history);
                }
                drain(direct, lane, history);
                direct.administration().delete(lane.channel());
            }
            results.judge("cut at byte " + cut, List.of(history.finish()));
        }

        private static void sendUntilConfirmed(Lane lane, Load load, History history, int first, int count) {
            int key = lane.key(0, first);
            List<Load.Sending> messages = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                messages.add(lane.message(0, first + i, key));
            }
            for (int attempt = 1; ; attempt++) {
                history.attempted(0, first, count, key);
                try {
                    if (count == 1) {
                        load.send(messages.getFirst()).join();
                    } else {
                        load.sendBatch(messages).join();
                    }
                    history.confirmed(0, first, count);
                    return;
                } catch (CompletionException e) {
                    if (attempt == TRIES) {
                        throw new AssertionError("message " + first + " could not be sent " + TRIES + " times", e);
                    }
                    if (e.getCause() instanceof Load.Refused) {
                        history.refused(0, first, count);
                    } else {
                        history.unknown(0, first, count);
                    }
                }
            }
        }

        private static void receive(Load load, History history) throws InterruptedException {
            long end = System.nanoTime() + PATIENCE.toNanos();
            try (Load.Receiver receiver = openUntilThere(load)) {
                int taken = 0;
                while (taken < MESSAGES + BATCH && System.nanoTime() < end && load.left() > 0) {
                    taken += take(receiver, history);
                }
            }
        }

        private static Load.Receiver openUntilThere(Load load) {
            for (int attempt = 1; ; attempt++) {
                try {
                    return load.receiver();
                } catch (RuntimeException e) {
                    if (attempt == TRIES) {
                        throw e;
                    }
                }
            }
        }

        private static int take(Load.Receiver receiver, History history) throws InterruptedException {
            List<Load.Taken> taken = receiver.receive(100, WAIT);
            for (Load.Taken each : taken) {
                history.delivered(0, each.attempt(), -1, -1, Payload.read(each.payload()));
            }
            try {
                receiver.acknowledge(taken).join();
            } catch (CompletionException e) {
                return taken.size(); // its outcome is not known
            }
            for (Load.Taken each : taken) {
                Payload payload = Payload.read(each.payload());
                if (payload != null) {
                    history.acknowledged(0, payload.producer(), payload.sequence(), each.attempt());
                }
            }
            return taken.size();
        }

        /** What the cut left behind. */
        private static void drain(Postroad direct, Lane lane, History history) throws InterruptedException {
            ApiLoad load = new ApiLoad(direct, ApiLoad.queue(lane.channel()));
            long end = System.nanoTime() + PATIENCE.toNanos();
            try (Load.Receiver receiver = load.receiver()) {
                while (load.left() > 0) {
                    take(receiver, history);
                    if (System.nanoTime() > end) {
                        throw new AssertionError(load.left() + " messages stay on the channel of a cut connection");
                    }
                }
            }
            Await.value(
                    "consumers of cut connections are gone",
                    PATIENCE,
                    () -> direct.administration().channels().stream()
                            .filter(each -> each.channel().name().equals(lane.channel()))
                            .mapToInt(ChannelStatus::consumers)
                            .sum(),
                    consumers -> consumers == 0);
        }

        /** Half-open requests are cleaned up: the server holds no connection once all clients are gone. */
        void requireNothingLeft() {
            Await.value(
                    "the server has let go of cut connections",
                    PATIENCE,
                    () -> connections(port(server.authority())),
                    connections -> connections == 0);
        }
    }

    /** TCP connections of a port on this machine that are established or wait for their owner to close them. */
    private static long connections(int port) throws IOException {
        String suffix = String.format(":%04X", port);
        long count = 0;
        for (Path table : List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"))) {
            if (Files.exists(table)) {
                for (String line : Files.readAllLines(table)) {
                    List<String> columns = SPACES.splitAsStream(line.strip()).toList();
                    boolean open = columns.size() > 3
                            && (columns.get(3).equals("01") || columns.get(3).equals("08"));
                    count += open && columns.get(1).endsWith(suffix) ? 1 : 0;
                }
            }
        }
        return count;
    }
}
