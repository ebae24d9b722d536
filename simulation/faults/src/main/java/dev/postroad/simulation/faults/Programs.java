package dev.postroad.simulation.faults;

import dev.postroad.engine.Command.Outcome;
import dev.postroad.engine.Durability;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.simulation.faults.Program.Action;
import dev.postroad.simulation.faults.Program.Step;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Short programs around everything that is written in more than one place: rolling, renaming, batches, retention, compaction,
 * checkpoints, dedup windows, consumers' positions, settlements, transactions, one name deleted and made again.
 *
 * <p>A theme has preparations and a list of steps. Its first programs are all ordered pairs of steps; the ones behind are
 * random sequences of two to eight.
 */
final class Programs {
    /** Time passes in steps of this length, of which nothing that is timed here is a multiple. */
    static final long TICK = 4_000;

    private static final long DEDUP = 10_000;
    private static final QueueDefinition PLAIN = QueueDefinition.named("q");
    private static final QueueDefinition LETTERS = QueueDefinition.named("dead");

    private record Theme(List<Step> preparations, List<Step> steps) {}

    private static final Step REJECT =
            step("reject", (trial, random) -> trial.settle(1, new Outcome.DeadLetter("no good")));
    private static final Step CHECKPOINT = step("checkpoint", (trial, random) -> trial.checkpoint());
    private static final Step CLOSE = step("close and open", (trial, random) -> trial.restart(true));
    private static final Step KILL = step("kill and open", (trial, random) -> trial.restart(false));
    private static final Step WAIT = step("wait", (trial, random) -> trial.advance(TICK));
    private static final Step SPARE = step("prepare a segment", (trial, random) -> trial.prepareSpare());
    private static final Map<String, Theme> THEMES = themes();

    private Programs() {}

    /** The names of the themes. */
    static List<String> names() {
        return List.copyOf(THEMES.keySet());
    }

    /** How many programs of a theme there are before they are random. */
    static int pairs(String theme) {
        int steps = theme(theme).steps.size();
        return steps * steps;
    }

    private static Theme theme(String name) {
        Theme theme = THEMES.get(name);
        if (theme == null) {
            throw new IllegalArgumentException("there is no theme " + name + "; there are " + names());
        }
        return theme;
    }

    /** Program {@code number} of a theme, counted from 0. */
    static Program program(String name, int number) {
        Theme theme = theme(name);
        List<Step> steps = theme.steps;
        List<Step> chosen = new ArrayList<>();
        if (number < steps.size() * steps.size()) {
            chosen.add(steps.get(number / steps.size()));
            chosen.add(steps.get(number % steps.size()));
        } else {
            Random random = new Random(number * 0x9E3779B97F4A7C15L + name.hashCode());
            int count = 2 + random.nextInt(7);
            for (int i = 0; i < count; i++) {
                chosen.add(steps.get(random.nextInt(steps.size())));
            }
        }
        return new Program(name + "#" + number, theme.preparations, chosen, number * 31L + name.hashCode());
    }

    /** All steps of a theme one after the other, twice: long enough to fail in many places. */
    static Program whole(String name) {
        Theme theme = theme(name);
        List<Step> steps = new ArrayList<>(theme.steps);
        steps.addAll(theme.steps);
        return new Program(name + "#whole", theme.preparations, steps, name.hashCode());
    }

    // ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────────

    private static Step step(String text, Action action) {
        return new Step(text, action);
    }

    private static Expectation.Sent sent(EngineTrial trial, int bytes) {
        return sent(trial, bytes, null, null);
    }

    private static Expectation.Sent sent(EngineTrial trial, int bytes, @Nullable String id, @Nullable String key) {
        return new Expectation.Sent(trial.word(), bytes, id, key, 0, 0, 0);
    }

    private static Step send(String channel, int bytes) {
        return step("send " + channel, (trial, random) -> trial.send(channel, sent(trial, bytes)));
    }

    private static Step sendKeyed(String channel) {
        return step(
                "send keyed " + channel,
                (trial, random) -> trial.send(channel, sent(trial, 20, null, "k" + random.nextInt(2))));
    }

    private static Step take(String channel, int count) {
        return step("take " + count + " of " + channel, (trial, random) -> trial.take(channel, count, 0));
    }

    private static Step lease(String channel, int count) {
        return step("lease " + count + " of " + channel, (trial, random) -> trial.take(channel, count, 3_000));
    }

    private static Step acknowledge(int count) {
        return step("acknowledge " + count, (trial, random) -> trial.settle(count, Outcome.Acknowledge.INSTANCE));
    }

    private static Step release(long delay) {
        return step("release " + delay, (trial, random) -> trial.settle(1, new Outcome.Release(delay, "so", true)));
    }

    private static Step declare(dev.postroad.engine.Definition definition) {
        return step("declare " + definition.name(), (trial, random) -> trial.declare(definition));
    }

    private static Step delete(String name) {
        return step("delete " + name, (trial, random) -> trial.delete(name));
    }

    private static Step purge(String name) {
        return step("purge " + name, (trial, random) -> trial.purge(name));
    }

    // ── Themes ───────────────────────────────────────────────────────────────────────────────────────────────────────

    private static Map<String, Theme> themes() {
        Map<String, Theme> themes = new LinkedHashMap<>();
        themes.put("batches", batches());
        themes.put("segments", segments());
        themes.put("settlements", settlements());
        themes.put("keys", keys());
        themes.put("dedup", dedup());
        themes.put("transactions", transactions());
        themes.put("streams", streams());
        themes.put("retention", retention());
        themes.put("names", namesAgain());
        themes.put("schedules", schedules());
        themes.put("bounds", bounds());
        themes.put("space", space());
        themes.put("groups", groups());
        themes.put("buffered", buffered());
        return themes;
    }

    private static Theme batches() {
        return new Theme(
                List.of(declare(PLAIN), declare(StreamDefinition.named("s", 1))),
                List.of(
                        step(
                                "send three at once",
                                (trial, random) -> trial.send("q", sent(trial, 10), sent(trial, 700), sent(trial, 40))),
                        step("a group of publishes", (trial, random) -> {
                            trial.submitSend("q", sent(trial, 10));
                            trial.submitSend("s", sent(trial, 500));
                            trial.submitSend("q", sent(trial, 30), sent(trial, 600));
                            trial.answered();
                        }),
                        step("more than the buffer holds", (trial, random) -> {
                            trial.submitSend("q", sent(trial, 3_000));
                            trial.submitSend("q", sent(trial, 2_500), sent(trial, 3_000), sent(trial, 20));
                            trial.answered();
                        }),
                        send("q", 1500),
                        take("q", 2),
                        acknowledge(2),
                        CHECKPOINT,
                        KILL,
                        CLOSE));
    }

    private static Theme segments() {
        return new Theme(
                List.of(declare(PLAIN), step("fill", (trial, random) -> {
                    for (int i = 0; i < 4; i++) {
                        trial.send("q", sent(trial, 12_000));
                    }
                })),
                List.of(
                        send("q", 13_000),
                        step("send four", (trial, random) -> {
                            for (int i = 0; i < 4; i++) {
                                trial.submitSend("q", sent(trial, 9_000));
                            }
                            trial.answered();
                        }),
                        send("q", 30),
                        step("acknowledge most", (trial, random) -> {
                            trial.take("q", 5, 0);
                            trial.settle(5, Outcome.Acknowledge.INSTANCE);
                        }),
                        SPARE,
                        CHECKPOINT,
                        step("two checkpoints", (trial, random) -> {
                            trial.checkpoint();
                            trial.checkpoint();
                        }),
                        KILL,
                        CLOSE));
    }

    private static Theme settlements() {
        QueueDefinition queue = PLAIN.withDeliveryLimit(3)
                .withDeadLetter(DeadLetterTarget.channel("dead"))
                .withPriorities(2);
        return new Theme(
                List.of(declare(LETTERS), declare(queue), send("q", 10), send("q", 20), take("q", 1)),
                List.of(
                        step(
                                "send urgent",
                                (trial, random) ->
                                        trial.send("q", new Expectation.Sent(trial.word(), 15, null, null, 1, 0, 0))),
                        take("q", 2),
                        acknowledge(1),
                        release(0),
                        release(6_000),
                        REJECT,
                        step("take and fail three times", (trial, random) -> {
                            for (int i = 0; i < 3; i++) {
                                trial.take("q", 1, 0);
                                trial.settle(1, new Outcome.Release(0, null, true));
                            }
                        }),
                        step("redrive", (trial, random) -> trial.redrive("dead")),
                        WAIT,
                        CHECKPOINT,
                        KILL));
    }

    private static Theme keys() {
        QueueDefinition queue =
                PLAIN.withKeyOrdered(true).withDeliveryLimit(2).withDeadLetter(DeadLetterTarget.channel("dead"));
        return new Theme(
                List.of(
                        declare(LETTERS),
                        declare(queue),
                        step(
                                "send four",
                                (trial, random) -> trial.send(
                                        "q",
                                        sent(trial, 10, null, "k0"),
                                        sent(trial, 10, null, "k1"),
                                        sent(trial, 10, null, "k0"),
                                        sent(trial, 10, null, "k0")))),
                List.of(
                        sendKeyed("q"),
                        take("q", 2),
                        acknowledge(1),
                        release(0),
                        release(6_000),
                        REJECT,
                        step("redrive", (trial, random) -> trial.redrive("dead")),
                        step("fail and take again", (trial, random) -> {
                            trial.take("q", 1, 0);
                            trial.settle(1, new Outcome.Release(0, "again", true));
                            trial.take("q", 2, 0);
                        }),
                        step("a key dies, then more of it comes after a restart", (trial, random) -> {
                            trial.take("q", 1, 0);
                            trial.settle(1, new Outcome.DeadLetter("no good"));
                            trial.restart(false);
                            trial.send("q", sent(trial, 10, null, "k0"), sent(trial, 10, null, "k1"));
                        }),
                        step("a retry waits over a checkpoint and a restart", (trial, random) -> {
                            trial.send("q", sent(trial, 10, null, "k2"), sent(trial, 10, null, "k2"));
                            trial.take("q", 1, 0);
                            trial.settle(1, new Outcome.Release(6_000, null, true));
                            trial.checkpoint();
                            trial.restart(false);
                            trial.take("q", 3, 0);
                        }),
                        purge("dead"),
                        WAIT,
                        CHECKPOINT,
                        KILL));
    }

    private static Step sendId(String channel) {
        return step(
                "send id to " + channel,
                (trial, random) -> trial.send(channel, sent(trial, 20, "i" + random.nextInt(4), null)));
    }

    private static Theme dedup() {
        return new Theme(
                List.of(
                        declare(PLAIN.withDedupMillis(DEDUP)),
                        declare(StreamDefinition.named("s", 1).withDedupMillis(DEDUP)),
                        sendId("q"),
                        sendId("s")),
                List.of(
                        sendId("q"),
                        sendId("s"),
                        step(
                                "send two ids",
                                (trial, random) ->
                                        trial.send("q", sent(trial, 20, "a", null), sent(trial, 20, "b", null))),
                        take("q", 2),
                        acknowledge(2),
                        purge("q"),
                        WAIT,
                        CHECKPOINT,
                        KILL,
                        CLOSE));
    }

    private static Theme transactions() {
        return new Theme(
                List.of(
                        declare(PLAIN),
                        declare(QueueDefinition.named("r").withDedupMillis(DEDUP)),
                        declare(StreamDefinition.named("s", 1)),
                        send("q", 10),
                        send("q", 20),
                        send("s", 20),
                        take("q", 2)),
                List.of(
                        step(
                                "transaction to r",
                                (trial, random) -> trial.transact(
                                        "r",
                                        sent(trial, 400, "t" + random.nextInt(3), null),
                                        "g",
                                        "s",
                                        random.nextInt(5))),
                        step(
                                "transaction to s",
                                (trial, random) -> trial.transact("s", sent(trial, 900), "g", "s", random.nextInt(5))),
                        step("settle and publish", (trial, random) -> trial.transact("q", sent(trial, 30), "", "", 0)),
                        take("q", 2),
                        send("q", 600),
                        release(0),
                        CHECKPOINT,
                        KILL,
                        CLOSE));
    }

    private static Theme streams() {
        return new Theme(
                List.of(
                        declare(StreamDefinition.named("s", 2)),
                        step("new producer", (trial, random) -> trial.newProducer()),
                        step("produce", (trial, random) -> trial.produce("s", 1, 0, 0, 2, false))),
                List.of(
                        step("produce", (trial, random) -> trial.produce("s", 1, 0, random.nextInt(2), 2, false)),
                        step("produce again", (trial, random) -> trial.produce("s", 1, 0, 0, 1, true)),
                        step("produce epoch 1", (trial, random) -> trial.produce("s", 1, 1, 0, 1, false)),
                        step("new producer", (trial, random) -> trial.newProducer()),
                        step("commit", (trial, random) -> trial.commit("g", "s", random.nextInt(2), random.nextInt(9))),
                        step("commit of another group", (trial, random) -> trial.commit("h", "s", 0, 1)),
                        step("delete group", (trial, random) -> trial.deleteGroup("g")),
                        purge("s"),
                        WAIT,
                        CHECKPOINT,
                        KILL,
                        CLOSE));
    }

    private static Theme retention() {
        StreamDefinition kept = StreamDefinition.named("s", 1).withRetentionMillis(DEDUP);
        StreamDefinition compacted = StreamDefinition.named("c", 1).withCompacted(true);
        return new Theme(
                List.of(declare(kept), declare(compacted), send("s", 50), sendKeyed("c"), sendKeyed("c")),
                List.of(
                        send("s", 3_000),
                        sendKeyed("c"),
                        step("tombstone", (trial, random) -> trial.send("c", sent(trial, -1, null, "k0"))),
                        WAIT,
                        step("wait long", (trial, random) -> trial.advance(3 * TICK)),
                        purge("c"),
                        CHECKPOINT,
                        KILL,
                        CLOSE));
    }

    private static Theme namesAgain() {
        return new Theme(
                List.of(
                        declare(PLAIN),
                        declare(QueueDefinition.named("r")),
                        declare(TopicDefinition.named("t", TopicDefinition.Routing.FANOUT)),
                        step("bind", (trial, random) -> trial.bind("t", "q")),
                        send("q", 10)),
                List.of(
                        declare(PLAIN),
                        declare(StreamDefinition.named("n", 1)),
                        declare(QueueDefinition.named("n")),
                        delete("q"),
                        delete("n"),
                        step("delete and declare", (trial, random) -> {
                            trial.delete("q");
                            trial.declare(PLAIN);
                        }),
                        step("bind", (trial, random) -> trial.bind("t", random.nextBoolean() ? "q" : "r")),
                        step("unbind", (trial, random) -> trial.unbind("t", "q")),
                        step("send to topic", (trial, random) -> trial.sendTo("t", sent(trial, 60))),
                        step("commit, delete and declare n", (trial, random) -> {
                            trial.delete("n");
                            trial.declare(StreamDefinition.named("n", 1));
                            trial.send("n", sent(trial, 10));
                            trial.commit("g", "n", 0, 1);
                            trial.delete("n");
                            trial.declare(StreamDefinition.named("n", 1));
                        }),
                        send("q", 10),
                        send("n", 10),
                        step("commit", (trial, random) -> trial.commit("g", "n", 0, 1)),
                        CHECKPOINT,
                        KILL,
                        CLOSE));
    }

    private static Theme schedules() {
        QueueDefinition queue = PLAIN.withDeliveryLimit(2).withDeadLetter(DeadLetterTarget.channel("dead"));
        return new Theme(
                List.of(
                        declare(LETTERS),
                        declare(queue),
                        declare(QueueDefinition.named("x")
                                .withTtlMillis(6_000)
                                .withDeadLetter(DeadLetterTarget.channel("dead"))),
                        send("q", 10)),
                List.of(
                        step(
                                "send later",
                                (trial, random) -> trial.send(
                                        "q",
                                        new Expectation.Sent(
                                                trial.word(),
                                                20,
                                                "i" + random.nextInt(3),
                                                null,
                                                0,
                                                0,
                                                trial.now() + 6_000))),
                        step(
                                "send short-lived",
                                (trial, random) -> trial.send(
                                        "x",
                                        new Expectation.Sent(
                                                trial.word(), 20, null, null, 0, random.nextBoolean() ? 3_000 : 0, 0))),
                        step("cancel", (trial, random) -> trial.cancel("q", "i" + random.nextInt(3))),
                        lease("q", 1),
                        step("settle what is another's by now", (trial, random) -> {
                            trial.take("q", 1, 3_000);
                            trial.advance(TICK);
                            trial.take("q", 1, 0);
                            trial.settle(1, Outcome.Acknowledge.INSTANCE);
                        }),
                        step("extend", (trial, random) -> trial.settle(1, new Outcome.Extend(9_000))),
                        acknowledge(1),
                        release(6_000),
                        take("q", 2),
                        WAIT,
                        WAIT,
                        CHECKPOINT,
                        KILL));
    }

    private static Theme bounds() {
        return new Theme(
                List.of(
                        declare(LETTERS),
                        declare(PLAIN.withMaxMessages(3)),
                        declare(QueueDefinition.named("o").withMaxMessages(2).withOverflow(Overflow.DROP_OLDEST)),
                        declare(QueueDefinition.named("d")
                                .withMaxMessages(2)
                                .withDeadLetter(DeadLetterTarget.channel("dead"))
                                .withOverflow(Overflow.DEAD_LETTER_OLDEST)),
                        send("q", 10),
                        send("o", 10),
                        send("d", 10)),
                List.of(
                        send("q", 10),
                        step("send two", (trial, random) -> trial.send("q", sent(trial, 10), sent(trial, 10))),
                        send("o", 20),
                        step(
                                "three to o",
                                (trial, random) -> trial.send("o", sent(trial, 10), sent(trial, 10), sent(trial, 10))),
                        send("d", 20),
                        take("q", 1),
                        acknowledge(1),
                        purge("q"),
                        CHECKPOINT,
                        KILL,
                        CLOSE));
    }

    private static Theme space() {
        return new Theme(
                List.of(declare(PLAIN), declare(StreamDefinition.named("s", 1)), step("fill", (trial, random) -> {
                    trial.send("s", sent(trial, 2_000));
                    for (int i = 0; i < 13; i++) {
                        trial.submitSend("q", sent(trial, 8_500));
                    }
                    trial.answered();
                    trial.take("q", 11, 0);
                    trial.settle(11, Outcome.Acknowledge.INSTANCE);
                })),
                List.of(
                        step("checkpoint and compact", (trial, random) -> {
                            trial.checkpoint();
                            trial.advance(TICK);
                        }),
                        step("two checkpoints", (trial, random) -> {
                            trial.checkpoint();
                            trial.checkpoint();
                        }),
                        step("send four", (trial, random) -> {
                            for (int i = 0; i < 4; i++) {
                                trial.send("q", sent(trial, 9_500));
                            }
                        }),
                        step("acknowledge most", (trial, random) -> {
                            trial.take("q", 6, 0);
                            trial.settle(5, Outcome.Acknowledge.INSTANCE);
                        }),
                        SPARE,
                        WAIT,
                        KILL,
                        CLOSE));
    }

    private static Theme groups() {
        QueueDefinition group = QueueDefinition.named("g");
        return new Theme(
                List.of(
                        declare(PLAIN),
                        declare(StreamDefinition.named("s", 1)),
                        declare(TopicDefinition.named("t", TopicDefinition.Routing.FANOUT)),
                        step("bind", (trial, random) -> {
                            trial.bind("t", "q");
                            trial.bind("t", "s");
                        }),
                        send("s", 30)),
                List.of(
                        step("declare group", (trial, random) -> trial.declareGroup("s", group)),
                        step("send to topic", (trial, random) -> trial.sendTo("t", sent(trial, 100))),
                        send("s", 900),
                        take("s/g", 2),
                        acknowledge(1),
                        release(0),
                        take("q", 1),
                        step("delete and declare s", (trial, random) -> {
                            trial.delete("s");
                            trial.declare(StreamDefinition.named("s", 1));
                        }),
                        CHECKPOINT,
                        KILL,
                        CLOSE));
    }

    private static Theme buffered() {
        QueueDefinition queue = PLAIN.withDurability(Durability.BUFFERED);
        return new Theme(
                List.of(declare(queue), declare(QueueDefinition.named("r"))),
                List.of(
                        step("send buffered", (trial, random) -> {
                            trial.weaken(true);
                            trial.send("q", sent(trial, 700));
                            trial.weaken(false);
                        }),
                        step("take and acknowledge buffered", (trial, random) -> {
                            trial.weaken(true);
                            trial.take("q", 2, 0);
                            trial.settle(2, Outcome.Acknowledge.INSTANCE);
                            trial.weaken(false);
                        }),
                        send("r", 10),
                        WAIT,
                        CHECKPOINT,
                        KILL,
                        CLOSE));
    }
}
