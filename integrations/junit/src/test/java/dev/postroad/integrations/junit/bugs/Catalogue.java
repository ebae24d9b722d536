package dev.postroad.integrations.junit.bugs;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import dev.postroad.integrations.junit.Fault;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The twenty, each as a program of a dozen lines; maps and sets stand for its database. */
final class Catalogue {
    static final List<Bug> ALL = List.of(
            Bug.of("dual write", Catalogue::dualWrite, Fault.CRASH_BEFORE_SEND),
            Bug.of("ghost message", Catalogue::ghostMessage, Fault.CRASH_AFTER_SEND),
            Bug.of("a new id for each try", Catalogue::newIdForEachTry, Fault.CRASH_AFTER_SEND),
            Bug.of("unawaited send", Catalogue::unawaitedSend, Fault.CRASH_BEFORE_SEND),
            Bug.of(
                    "non-idempotent handler",
                    Catalogue::nonIdempotentHandler,
                    Fault.DUPLICATE,
                    Fault.CRASH_BEFORE_SETTLE),
            Bug.of("settle before work", Catalogue::settleBeforeWork, Fault.CRASH_AFTER_SETTLE),
            Bug.of("remembering before success", Catalogue::rememberingBeforeSuccess),
            Bug.of("checksum for an identity", Catalogue::checksumForAnIdentity),
            Bug.of("swallowed failure", Catalogue::swallowedFailure),
            Bug.of("hand-off to memory", Catalogue::handOffToMemory),
            Bug.of("work past the lease", Catalogue::workPastTheLease, Fault.LEASE_LOSS),
            Bug.of("poison tried for ever", Catalogue::poisonTriedForEver, Fault.POISON),
            Bug.of("retry that breaks order", Catalogue::retryThatBreaksOrder),
            Bug.of("stale overwrite", Catalogue::staleOverwrite, Fault.DUPLICATE),
            Bug.of("assumed order across channels", Catalogue::assumedOrder, Fault.DELAY, Fault.REORDER),
            Bug.of("reply to the wrong requester", Catalogue::wrongRequester, Fault.DELAY, Fault.REORDER),
            Bug.of("lost timeout", Catalogue::lostTimeout),
            Bug.of("late reply revives", Catalogue::lateReply, Fault.DELAY),
            Bug.of("aggregator that leaks", Catalogue::aggregatorThatLeaks, Fault.CRASH_BEFORE_SEND),
            Bug.of("projection that counts twice", Catalogue::projection, Fault.CRASH_BEFORE_SETTLE, Fault.RESTART));

    private Catalogue() {}

    private static String value(Delivery<String, String> delivery) {
        return String.valueOf(delivery.message().value());
    }

    private static String id(Delivery<String, String> delivery) {
        return String.valueOf(delivery.message().id());
    }

    // ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** The order is stored, the program dies, and nobody hears of it. */
    private static void dualWrite(Program program, boolean sound) {
        program.declare(Channel.command("orders"));
        Set<String> table = new HashSet<>();
        Queue<String> outbox = new ArrayDeque<>();
        for (String order : Program.orders()) {
            program.broker.run(() -> {
                table.add(order);
                if (sound) {
                    outbox.add(order); // in the same transaction
                } else {
                    program.producer.send("orders", Program.message(order, order));
                }
            });
        }
        for (String order : outbox) {
            program.send("orders", Program.message(order, order));
        }
        program.broker.assertExactlyOnce(table, program.broker.publishedValues("orders"));
    }

    /** Others hear of an order whose transaction was never committed. */
    private static void ghostMessage(Program program, boolean sound) {
        program.declare(Channel.command("orders"));
        Set<String> table = new HashSet<>();
        for (String order : Program.orders()) {
            if (sound) {
                table.add(order);
                program.send("orders", Program.message(order, order));
            } else {
                program.broker.run(() -> {
                    program.producer.send("orders", Program.message(order, order));
                    table.add(order);
                });
            }
        }
        program.broker.assertExactlyOnce(table, program.broker.publishedValues("orders"));
    }

    /** A producer without an answer sends again under another id, so that nobody can know the second for a duplicate. */
    private static void newIdForEachTry(Program program, boolean sound) {
        program.declare(Channel.command("orders"));
        Map<String, String> booked = new ConcurrentHashMap<>();
        program.listen("orders", delivery -> booked.put(id(delivery), value(delivery)));
        for (String order : Program.orders()) {
            int tries = 0;
            boolean sent = false;
            while (!sent) {
                String id = sound ? order : order + "/" + ++tries;
                sent = program.broker.run(() -> program.producer.send("orders", Program.message(id, order)));
            }
        }
        program.broker.settle();
        program.broker.assertExactlyOnce(Program.orders(), booked.values());
    }

    /** The incoming message is acknowledged although the outgoing one was never confirmed. */
    private static void unawaitedSend(Program program, boolean sound) {
        program.declare(Channel.command("orders"), Channel.command("invoices"));
        program.listen("orders", delivery -> {
            CompletableFuture<?> sent =
                    program.producer.sendAsync("invoices", Program.message("i-" + id(delivery), value(delivery)));
            if (sound) {
                sent.join();
            }
        });
        program.sendAll("orders", Program.orders());
        program.broker.settle();
        program.broker.assertExactlyOnce(Program.orders(), program.broker.publishedValues("invoices"));
    }

    // ── Handling ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** What is handled again has its effect again. */
    private static void nonIdempotentHandler(Program program, boolean sound) {
        program.declare(Channel.command("orders"));
        List<String> booked = Collections.synchronizedList(new ArrayList<>());
        program.listen("orders", delivery -> {
            if (!sound || !booked.contains(value(delivery))) {
                booked.add(value(delivery));
            }
        });
        program.sendAll("orders", Program.orders());
        program.broker.settle();
        program.broker.assertExactlyOnce(Program.orders(), booked);
    }

    /** Acknowledged first, and then the program dies. */
    private static void settleBeforeWork(Program program, boolean sound) {
        program.declare(Channel.command("orders"));
        Set<String> booked = ConcurrentHashMap.newKeySet();
        program.listen("orders", delivery -> {
            if (!sound) {
                delivery.acknowledge();
            }
            booked.add(value(delivery));
        });
        program.sendAll("orders", Program.orders());
        program.broker.settle();
        program.broker.assertExactlyOnce(Program.orders(), booked);
    }

    /** An attempt that failed is remembered as done, and the next one skipped. */
    private static void rememberingBeforeSuccess(Program program, boolean sound) {
        program.declare(Channel.command("orders"));
        Set<String> seen = ConcurrentHashMap.newKeySet();
        Set<String> booked = ConcurrentHashMap.newKeySet();
        program.listen("orders", delivery -> {
            if (sound ? seen.contains(id(delivery)) : !seen.add(id(delivery))) {
                return;
            }
            program.call(value(delivery));
            booked.add(value(delivery));
            seen.add(id(delivery));
        });
        program.sendAll("orders", Program.orders());
        program.broker.settle();
        program.broker.assertExactlyOnce(Program.orders(), booked);
    }

    /** Two payments of one amount are taken for one. */
    private static void checksumForAnIdentity(Program program, boolean sound) {
        program.declare(Channel.command("payments"));
        Map<String, String> booked = new ConcurrentHashMap<>();
        program.listen(
                "payments",
                delivery -> booked.put(
                        sound
                                ? id(delivery)
                                : Integer.toHexString(value(delivery).hashCode()),
                        id(delivery)));
        for (String order : Program.orders()) {
            program.send("payments", Program.message(order, order.endsWith("1") ? "20 EUR" : order));
        }
        program.broker.settle();
        program.broker.assertExactlyOnce(Program.orders(), booked.values());
    }

    /** The failure is logged, the message acknowledged, the order lost. */
    private static void swallowedFailure(Program program, boolean sound) {
        program.declare(Channel.command("orders"));
        Set<String> booked = ConcurrentHashMap.newKeySet();
        List<String> log = Collections.synchronizedList(new ArrayList<>());
        program.listen("orders", delivery -> {
            try {
                program.call(value(delivery));
                booked.add(value(delivery));
            } catch (IllegalStateException e) {
                log.add(value(delivery) + ": " + e.getMessage());
                if (sound) {
                    throw e;
                }
            }
        });
        program.sendAll("orders", Program.orders());
        program.broker.settle();
        program.broker.assertExactlyOnce(Program.orders(), booked);
    }

    /** What lies in a queue of the program when it ends was acknowledged long ago. */
    private static void handOffToMemory(Program program, boolean sound) {
        program.declare(Channel.command("orders"));
        Set<String> booked = ConcurrentHashMap.newKeySet();
        Queue<String> pool = new ConcurrentLinkedQueue<>();
        Subscription first = program.listen("orders", delivery -> {
            if (sound) {
                booked.add(value(delivery));
            } else {
                pool.add(value(delivery));
            }
        });
        program.sendAll("orders", Program.orders());
        program.broker.settle();
        for (int i = 0; i < 5 && !pool.isEmpty(); i++) {
            booked.add(pool.remove());
        }
        first.close(); // a new version is deployed
        program.listen("orders", delivery -> booked.add(value(delivery)));
        program.broker.settle();
        program.broker.assertExactlyOnce(Program.orders(), booked);
    }

    /** Whoever lost its lease writes all the same, over what the next one wrote. */
    private static void workPastTheLease(Program program, boolean sound) {
        program.declare(Channel.command("orders").withLease(Duration.ofSeconds(30)));
        Map<String, Integer> stock = new ConcurrentHashMap<>();
        Map<String, Integer> fence = new ConcurrentHashMap<>();
        program.listen("orders", delivery -> {
            if (sound && fence.putIfAbsent(id(delivery), delivery.attempt()) != null) {
                return;
            }
            stock.merge(value(delivery), 1, Integer::sum);
        });
        program.sendAll("orders", Program.orders());
        program.broker.settle();
        List<String> taken = new ArrayList<>();
        stock.forEach((order, count) -> taken.addAll(Collections.nCopies(count, order)));
        program.broker.assertExactlyOnce(Program.orders(), taken);
    }

    /** What nobody can read is tried again for ever. */
    private static void poisonTriedForEver(Program program, boolean sound) {
        program.declare(
                Channel.command("orders").withRetry(RetryPolicy.DEFAULT.withMaxAttempts(sound ? 5 : 1_000_000)));
        Set<String> booked = ConcurrentHashMap.newKeySet();
        program.broker.postroad().listen("orders", Format.bytes(), ConsumerOptions.DEFAULT, delivery -> {
            byte[] value = delivery.message().value();
            booked.add(decoded(value == null ? new byte[0] : value, sound));
        });
        program.sendAll("orders", Program.orders());
        program.broker.assertSettled();
        program.broker.assertExactlyOnce(Program.orders(), booked);
    }

    private static String decoded(byte[] bytes, boolean sound) throws CharacterCodingException {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            if (sound) {
                throw new Handler.DeadLetterException("no UTF-8: " + e.getMessage());
            }
            throw e;
        }
    }

    // ── Order ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /** While one waits for its retry the next of its key overtakes it. */
    private static void retryThatBreaksOrder(Program program, boolean sound) {
        program.declare(Channel.command("prices").withOrderedByKey(sound));
        program.listen("prices", delivery -> program.call(value(delivery)));
        for (String order : Program.orders()) {
            program.send("prices", Program.message(order, order));
        }
        program.broker.settle();
        program.broker.assertOrderPerKey("prices");
    }

    /** A second copy that comes late sets the price of yesterday. */
    private static void staleOverwrite(Program program, boolean sound) {
        program.declare(Channel.command("prices"));
        Map<String, Integer> prices = new ConcurrentHashMap<>();
        program.listen("prices", delivery -> {
            int version = Integer.parseInt(value(delivery));
            prices.merge("book", version, sound ? Math::max : (before, now) -> now);
        });
        for (int version = 1; version <= 12; version++) {
            program.send("prices", Program.message("price-" + version, String.valueOf(version)));
            program.broker.advance(Duration.ofSeconds(1));
        }
        program.broker.settle();
        program.broker.assertExactlyOnce(List.of(12), prices.values());
    }

    /** The order comes before its customer, and is dropped. */
    private static void assumedOrder(Program program, boolean sound) {
        program.declare(Channel.command("customers"), Channel.command("orders"));
        Set<String> customers = ConcurrentHashMap.newKeySet();
        Set<String> booked = ConcurrentHashMap.newKeySet();
        program.listen("customers", delivery -> customers.add(value(delivery)));
        program.listen("orders", delivery -> {
            if (customers.contains(value(delivery))) {
                booked.add(value(delivery));
            } else if (sound) {
                throw new Handler.RetryAfterException("its customer is not there yet", Duration.ofMinutes(1));
            }
        });
        for (String each : Program.orders()) {
            program.send("customers", Program.message("c-" + each, each));
            program.broker.settle(Duration.ZERO);
            program.send("orders", Program.message("o-" + each, each));
        }
        program.broker.settle();
        program.broker.assertExactlyOnce(Program.orders(), booked);
    }

    // ── Conversations ────────────────────────────────────────────────────────────────────────────────────────────────

    /** Replies are taken for those of the requests in the order in which they come. */
    private static void wrongRequester(Program program, boolean sound) {
        program.declare(Channel.command("questions"), Channel.command("answers"));
        Queue<String> waiting = new ConcurrentLinkedQueue<>(Program.orders());
        Set<String> answered = ConcurrentHashMap.newKeySet();
        program.listen(
                "questions",
                delivery -> program.producer.send(
                        "answers",
                        Program.message("a-" + id(delivery), value(delivery)).withCorrelationId(id(delivery))));
        program.listen("answers", delivery -> {
            String requester = sound ? String.valueOf(delivery.message().correlationId()) : waiting.poll();
            answered.add(requester + " got " + value(delivery));
        });
        program.sendAll("questions", Program.orders());
        program.broker.settle();
        program.broker.assertExactlyOnce(
                Program.orders().stream().map(each -> each + " got " + each).toList(), answered);
    }

    /** Deadlines in a map of the program are forgotten when it is restarted. */
    private static void lostTimeout(Program program, boolean sound) {
        program.declare(Channel.command("orders"), Channel.command("unpaid"));
        Set<String> cancelled = ConcurrentHashMap.newKeySet();
        Map<Instant, String> timers = Collections.synchronizedMap(new TreeMap<>());
        Subscription first = program.listen("orders", delivery -> {
            Instant deadline = program.broker.clock().instant().plus(Duration.ofMinutes(30));
            if (sound) {
                program.producer.send(
                        "unpaid",
                        Program.message("t-" + id(delivery), value(delivery)).withDeliverAt(deadline));
            } else {
                timers.put(deadline.plusNanos(timers.size()), value(delivery));
            }
        });
        program.listen("unpaid", delivery -> cancelled.add(value(delivery)));
        program.sendAll("orders", Program.orders());
        program.broker.settle(Duration.ZERO);
        first.close(); // a new version is deployed
        timers.clear();
        program.broker.advance(Duration.ofHours(1));
        timers.forEach((deadline, order) -> cancelled.add(order));
        program.broker.assertExactlyOnce(Program.orders(), cancelled);
    }

    /** The order was cancelled when no payment came in time; then the payment comes, and it is shipped. */
    private static void lateReply(Program program, boolean sound) {
        program.declare(Channel.command("paid"), Channel.command("unpaid"));
        Map<String, String> state = new ConcurrentHashMap<>();
        List<String> outcomes = Collections.synchronizedList(new ArrayList<>());
        program.listen("paid", delivery -> {
            if (!sound || state.putIfAbsent(value(delivery), "shipped") == null) {
                outcomes.add(value(delivery));
            }
        });
        program.listen("unpaid", delivery -> {
            if (state.putIfAbsent(value(delivery), "cancelled") == null
                    && (sound || !outcomes.contains(value(delivery)))) {
                outcomes.add(value(delivery));
            }
        });
        for (String order : Program.orders()) {
            Instant deadline = program.broker.clock().instant().plusSeconds(20);
            program.send("unpaid", Program.message("t-" + order, order).withDeliverAt(deadline));
            program.send("paid", Program.message("p-" + order, order));
        }
        program.broker.settle();
        program.broker.assertExactlyOnce(Program.orders(), outcomes);
    }

    /** Parts of what never becomes whole are kept for ever. */
    private static void aggregatorThatLeaks(Program program, boolean sound) {
        program.declare(Channel.command("parts"), Channel.command("overdue"));
        Map<String, Set<String>> groups = new ConcurrentHashMap<>();
        program.listen("parts", delivery -> {
            String order = String.valueOf(delivery.message().correlationId());
            Set<String> parts = groups.computeIfAbsent(order, each -> ConcurrentHashMap.newKeySet());
            if (sound && parts.isEmpty()) {
                program.producer.send(
                        "overdue",
                        Program.message("t-" + order, order)
                                .withDeliverAt(program.broker.clock().instant().plus(Duration.ofMinutes(5))));
            }
            parts.add(value(delivery));
            if (parts.size() == 3) {
                groups.remove(order);
            }
        });
        program.listen("overdue", delivery -> groups.remove(value(delivery)));
        for (String order : Program.orders()) {
            program.broker.run(() -> {
                for (int part = 1; part <= 3; part++) {
                    Message<String, String> message = Program.message(order + "/" + part, "part " + part);
                    program.producer.send("parts", message.withCorrelationId(order));
                }
            });
        }
        program.broker.settle();
        program.broker.assertExactlyOnce(List.of(), groups.keySet());
    }

    /** An event that is handled again is counted again. */
    private static void projection(Program program, boolean sound) {
        program.declare(Channel.event("sales"));
        List<String> counted = Collections.synchronizedList(new ArrayList<>());
        Set<String> places = ConcurrentHashMap.newKeySet();
        program.broker
                .postroad()
                .listen("sales", Format.strings(), ConsumerOptions.DEFAULT.withGroup("totals"), delivery -> {
                    if (!sound || places.add(delivery.origin().toString())) {
                        counted.add(value(delivery));
                    }
                });
        program.sendAll("sales", Program.orders());
        program.broker.settle();
        program.broker.assertExactlyOnce(Program.orders(), counted);
    }
}
