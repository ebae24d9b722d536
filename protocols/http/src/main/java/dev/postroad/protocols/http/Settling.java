package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.Outcome;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.Reply;
import dev.postroad.engine.runtime.Broker;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Settles deliveries: one by one, or many of the same outcome at once. */
final class Settling {
    private static final int MAX_REASON = 1_000;
    private static final List<String> NAMES =
            List.of("delivery", "outcome", "delay", "reason", "exception", "lease", "counts");

    private final Broker broker;
    private final Consumers consumers;

    Settling(Broker broker, Consumers consumers) {
        this.broker = broker;
        this.consumers = consumers;
    }

    /** A delivery and what is to become of it. */
    record Settlement(DeliveryId delivery, Outcome outcome) {}

    private enum Word {
        ACKNOWLEDGE,
        RELEASE,
        DEAD_LETTER,
        EXTEND
    }

    /** {@code POST …/channels/{channel}/settle} */
    void settle(Exchange exchange) throws Exception {
        BodyBudget.Body body = exchange.body(exchange.settings().maxBatchBytes());
        JsonFields fields = exchange.json(body.bytes(), body.length(), "acknowledge", "settlements");
        List<Settlement> settlements = read(fields, exchange.settings().maxBatchMessages());
        List<DeliveryId> lost = settle(settlements);
        if (lost.isEmpty()) {
            exchange.answer(200, Map.of("settled", settlements.size()));
        } else {
            throw lost(lost).with("settled", settlements.size() - lost.size());
        }
    }

    static Problem lost(List<DeliveryId> lost) {
        return new Problem(
                        409,
                        "NOT_DELIVERED",
                        lost.size() + (lost.size() == 1 ? " delivery is" : " deliveries are")
                                + " not, or no longer, in your hands: settled before, or the lease ran out and the message"
                                + " went back; the others are settled")
                .with("lost", lost.stream().map(DeliveryId::toString).toList());
    }

    /** Reads the members {@code acknowledge} and {@code settlements}. */
    static List<Settlement> read(JsonFields fields, int max) {
        List<Settlement> settlements = new ArrayList<>();
        for (JsonNode id : array(fields, "acknowledge", max)) {
            if (!id.isString()) {
                throw Problem.invalid("'acknowledge' must be an array of strings");
            }
            settlements.add(new Settlement(DeliveryId.parse(id.stringValue()), Outcome.Acknowledge.INSTANCE));
        }
        for (JsonNode node : array(fields, "settlements", max)) {
            if (!(node instanceof ObjectNode object)) {
                throw Problem.invalid("'settlements' must be an array of objects");
            }
            settlements.add(read(new JsonFields("settlements.", object, NAMES)));
        }
        return settlements;
    }

    static Iterable<JsonNode> array(JsonFields fields, String name, int max) {
        JsonNode node = fields.node(name);
        if (node == null) {
            return List.of();
        }
        if (!(node instanceof ArrayNode array)) {
            throw Problem.invalid("'" + name + "' must be an array");
        }
        if (array.size() > max) {
            throw Problem.tooLarge("'" + name + "' has " + array.size() + " entries; the limit is " + max);
        }
        return array;
    }

    private static Settlement read(JsonFields fields) {
        DeliveryId delivery = DeliveryId.parse(fields.requiredText("delivery"));
        String word = fields.requiredText("outcome");
        Word outcome =
                JsonFields.choice("settlements.outcome", word.equals("deadLetter") ? "dead-letter" : word, Word.class);
        for (Map.Entry<String, Word> only : Map.of("delay", Word.RELEASE, "counts", Word.RELEASE, "lease", Word.EXTEND)
                .entrySet()) {
            if (fields.has(only.getKey()) && outcome != only.getValue()) {
                throw Problem.invalid(
                        "'settlements." + only.getKey() + "' belongs to another outcome than '" + word + "'");
            }
        }
        String reason = fields.text("reason");
        String exception = fields.text("exception");
        if (exception != null && outcome != Word.DEAD_LETTER) {
            throw Problem.invalid("'settlements.exception' belongs to another outcome than '" + word + "'");
        }
        return new Settlement(
                delivery,
                switch (outcome) {
                    case ACKNOWLEDGE -> Outcome.Acknowledge.INSTANCE;
                    case RELEASE ->
                        new Outcome.Release(
                                fields.time("delay", 0, MessageJson.MAX_MILLIS, 0),
                                cut(reason),
                                fields.flag("counts", true));
                    case DEAD_LETTER ->
                        new Outcome.DeadLetter(reason == null ? "" : String.valueOf(cut(reason)), exception);
                    case EXTEND -> {
                        if (!fields.has("lease")) {
                            throw Problem.invalid("'settlements.lease' is missing; it says for how long to extend");
                        }
                        yield new Outcome.Extend(fields.time("lease", 1, Receiving.MAX_LEASE_MILLIS, 0));
                    }
                });
    }

    private static @Nullable String cut(@Nullable String reason) {
        return reason == null || reason.length() <= MAX_REASON ? reason : reason.substring(0, MAX_REASON);
    }

    /**
     * Carries the settlements out.
     *
     * @return those that were no longer the client's
     */
    List<DeliveryId> settle(List<Settlement> settlements) {
        List<DeliveryId> lost = new ArrayList<>();
        Map<Group, List<Claimed>> groups = new LinkedHashMap<>();
        int alone = 0;
        for (Settlement settlement : settlements) {
            DeliveryId delivery = settlement.delivery;
            HttpConsumer consumer = consumers.of(delivery);
            if (consumer == null) {
                lost.add(delivery);
                continue;
            }
            boolean doubtful = consumer.doubtful(delivery);
            int attempt = settlement.outcome instanceof Outcome.Extend extend
                    ? consumer.extend(delivery, extend.leaseMillis())
                    : consumer.claim(delivery);
            if (attempt == 0) {
                lost.add(delivery);
                continue;
            }
            // The engine tells how many of a group were lost, not which: what may be lost goes alone.
            Group group = new Group(delivery.consumer(), settlement.outcome, doubtful ? ++alone : 0);
            groups.computeIfAbsent(group, g -> new ArrayList<>()).add(new Claimed(delivery, attempt));
        }
        List<CompletableFuture<?>> under = new ArrayList<>(groups.size());
        groups.forEach((group, deliveries) ->
                under.add(submit(group, deliveries).thenAccept(passedOver -> {
                    if (passedOver > 0) {
                        synchronizedAdd(lost, deliveries);
                    }
                })));
        for (CompletableFuture<?> one : under) {
            join(one);
        }
        return lost;
    }

    private record Group(long consumer, Outcome outcome, int alone) {}

    /** A delivery that was the client's until now. */
    record Claimed(DeliveryId delivery, int attempt) {
        /** Settles these, all of one consumer. */
        static Command.Settle settle(long consumer, List<Claimed> claimed, Outcome outcome, Reply<Integer> reply) {
            long[] numbers = new long[claimed.size()];
            int[] attempts = new int[claimed.size()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = claimed.get(i).delivery.number();
                attempts[i] = claimed.get(i).attempt;
            }
            return new Command.Settle(consumer, numbers, numbers.length, attempts, outcome, reply);
        }
    }

    private static void synchronizedAdd(List<DeliveryId> lost, List<Claimed> more) {
        synchronized (lost) {
            more.forEach(claimed -> lost.add(claimed.delivery));
        }
    }

    private CompletableFuture<Integer> submit(Group group, List<Claimed> deliveries) {
        CompletableFuture<Integer> passedOver =
                broker.call((Reply<Integer> reply) -> Claimed.settle(group.consumer, deliveries, group.outcome, reply));
        return passedOver.exceptionally(e -> {
            Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
            if (cause instanceof EngineException refused && goneAway(refused)) {
                return deliveries.size();
            }
            throw cause instanceof RuntimeException runtime ? runtime : new CompletionException(cause);
        });
    }

    private static boolean goneAway(EngineException e) {
        return e.reason() == EngineException.Reason.NOT_FOUND || e.reason() == EngineException.Reason.NOT_DELIVERED;
    }

    /** Waits for an outcome; fails as the engine failed it. */
    static <T> T join(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }
}
