package dev.postroad.proof.process;

import dev.postroad.proof.history.History;
import dev.postroad.proof.history.History.Unresolved;
import dev.postroad.proof.history.Verdict;
import dev.postroad.testkit.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A broker as a process, with its clients here. */
final class Served implements Subject {
    private static final Duration DRAIN = Duration.ofSeconds(180);
    /** Without a delivery: nothing more comes, if nothing is missing; and else. */
    private static final Duration QUIET = Duration.ofSeconds(4);

    private static final Duration LONG_QUIET = Duration.ofSeconds(20);

    /** For what a broker that was killed had still told its clients. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(3);

    private final Broker broker;
    private final Path data;
    private final List<Lane> lanes;
    private final List<History> histories = new ArrayList<>();
    private final List<Load> loads = new ArrayList<>();
    private final List<Traffic> traffics = new ArrayList<>();
    private final List<Transacting> transactings = new ArrayList<>();
    private final long seed;
    private final Runnable declared;
    private int starts;
    private Broker.@Nullable Running running;
    private @Nullable String refusal;

    Served(Broker broker, Path data, List<Lane> lanes, long seed) {
        this(broker, data, lanes, seed, () -> {});
    }

    /** @param declared at each start, when a channel is there and nothing has been sent */
    Served(Broker broker, Path data, List<Lane> lanes, long seed, Runnable declared) {
        this.broker = broker;
        this.data = data;
        this.lanes = lanes;
        this.seed = seed;
        this.declared = declared;
        lanes.forEach(lane -> histories.add(lane.history()));
    }

    @Override
    public String name() {
        return broker.name();
    }

    @Override
    public void start() {
        run(true);
    }

    /** As {@link #start}, with producers only. */
    void startFilling() {
        running = broker.start(data);
        beginLoad(true, false);
    }

    private Broker.Running run(boolean produce) {
        Broker.Running started = broker.start(data);
        running = started;
        beginLoad(produce, true);
        return started;
    }

    /** Begins with new clients on the process that runs. */
    void beginLoad(boolean produce, boolean consume) {
        refusal = null;
        for (int i = 0; i < lanes.size(); i++) {
            Lane lane = lanes.get(i);
            Load load = running().load(lane);
            loads.add(load);
            load.declare();
            declared.run();
            Lane.Mix mix = consume ? lane.mix() : lane.mix().withConsumers(0);
            Traffic traffic =
                    new Traffic(new Lane(lane.channel(), lane.kind(), lane.run(), mix), load, histories.get(i));
            traffics.add(traffic);
            if (produce) {
                int first = starts * mix.producers();
                traffic.start(first, again(histories.get(i), mix, first - mix.producers()), seed + starts);
            } else {
                traffic.startConsumers(seed + starts);
            }
        }
        if (produce && transacts()) {
            Lane.Mix mix = lanes.getFirst().mix();
            for (int i = 0; i < mix.transacting(); i++) {
                int producer = starts * mix.producers() + mix.alone() + i;
                transactings.add(new Transacting(loads.getFirst(), lanes, histories, producer));
            }
        }
        starts++;
    }

    /** All lanes are of one broker, but a transaction of one lane would be none. */
    private boolean transacts() {
        return lanes.size() > 1 && loads.getFirst().transacts();
    }

    /** Half of the producers send again what they do not know of; what the others leave open stays open. */
    static List<Unresolved> again(History history, Lane.Mix mix, int firstProducer) {
        return history.unresolved(Math.max(0, firstProducer)).stream()
                .filter(message -> message.producer() % 2 == 0 && !mix.transacts(message.producer()))
                .toList();
    }

    /** The process that was started last. */
    Broker.Running running() {
        Broker.Running current = running;
        if (current == null) {
            throw new IllegalStateException("not started");
        }
        return current;
    }

    @Override
    public boolean awaitDelivery(Duration patience) throws InterruptedException {
        return traffics.getFirst().awaitDelivery(patience);
    }

    @Override
    public long pid() {
        return running().pid();
    }

    @Override
    public void kill() {
        running().kill();
        long end = System.nanoTime() + LAST_WORDS.toNanos();
        // What it had confirmed its clients know by then; some wait for it to come back.
        if (!traffics.stream().allMatch(traffic -> traffic.ends(end - System.nanoTime()))) {
            loads.forEach(Load::close);
        }
        endLoad();
    }

    /** Ends the clients alone. */
    void endLoad() {
        transactings.forEach(Transacting::close);
        transactings.clear();
        for (Traffic traffic : traffics) {
            traffic.close();
            refusal = traffic.refusal() == null ? refusal : traffic.refusal();
        }
        traffics.clear();
        loads.forEach(Load::close);
        loads.clear();
    }

    @Override
    public void pause() {
        running().pause();
    }

    @Override
    public void resume() {
        running().resume();
    }

    @Override
    public long confirmed() {
        return histories.stream().mapToLong(History::confirmedCount).sum();
    }

    @Override
    public long delivered() {
        return histories.stream().mapToLong(History::deliveredCount).sum();
    }

    @Override
    public @Nullable String refusal() {
        for (Traffic traffic : traffics) {
            refusal = traffic.refusal() == null ? refusal : traffic.refusal();
        }
        return refusal;
    }

    @Override
    public List<String> tail() {
        return running().tail();
    }

    @Override
    public void drain() throws Exception {
        Broker.Running started = run(false);
        awaitEmpty();
        endLoad();
        started.close();
    }

    /** Waits until consumers have taken everything; where the broker does not say what is left, until nothing comes. */
    void awaitEmpty() {
        for (int i = 0; i < lanes.size(); i++) {
            Load load = loads.get(i);
            if (load.left() >= 0) {
                Await.value(
                        "nothing is left on channel " + lanes.get(i).channel() + " of " + name(),
                        DRAIN,
                        load::left,
                        left -> left == 0);
            } else {
                Traffic traffic = traffics.get(i);
                History history = histories.get(i);
                long[] last = {traffic.deliveries(), System.nanoTime()};
                Await.until("nothing comes any more from " + name(), DRAIN, () -> {
                    if (traffic.deliveries() != last[0]) {
                        last[0] = traffic.deliveries();
                        last[1] = System.nanoTime();
                    }
                    long quiet = System.nanoTime() - last[1];
                    return quiet > LONG_QUIET.toNanos() || (quiet > QUIET.toNanos() && !history.misses());
                });
            }
        }
    }

    @Override
    public List<Verdict> verdicts() {
        return verdicts(lanes, histories);
    }

    /** What came of each channel, and of what was sent to several at once. */
    static List<Verdict> verdicts(List<Lane> lanes, List<History> histories) {
        List<Verdict> verdicts = new ArrayList<>();
        for (int i = 0; i < histories.size(); i++) {
            Verdict verdict = histories.get(i).finish();
            Lane.Mix mix = lanes.get(i).mix();
            verdicts.add(
                    i == 0 ? verdict : verdict.withTorn(histories.getFirst().torn(histories.get(i), mix::transacts)));
        }
        return verdicts;
    }

    @Override
    public void close() {
        Broker.Running current = running;
        if (current != null) {
            current.close();
        }
        endLoad();
    }
}
