package dev.postroad.proof.process;

import dev.postroad.proof.history.History.Unresolved;
import dev.postroad.proof.history.Payload;
import dev.postroad.proof.history.Witness;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Producers and consumers on one channel, each a thread, from start to stop; what they see goes to a witness. They outlive the
 * broker: what fails is told as unknown or refused, and after a pause they go on.
 */
final class Traffic implements AutoCloseable {
    private static final int BATCH = 10;
    private static final int TAKE = 200;
    private static final Duration WAIT = Duration.ofMillis(200);
    private static final long OUTCOME_SECONDS = 60;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final int GIVE_BACK_ONE_IN = 40;

    private final Lane lane;
    private final Load load;
    private final Witness witness;
    private final List<Thread> producers = new ArrayList<>();
    private final List<Thread> consumers = new ArrayList<>();
    private final CountDownLatch received = new CountDownLatch(1);
    private final AtomicLong deliveries = new AtomicLong();
    private volatile boolean sending = true;
    private volatile boolean receiving = true;
    private volatile @Nullable String refusal;
    private volatile @Nullable Throwable broken;

    Traffic(Lane lane, Load load, Witness witness) {
        this.lane = lane;
        this.load = load;
        this.witness = witness;
    }

    /**
     * Begins.
     *
     * @param firstProducer number of the first; nobody may have sent under it or a later one
     * @param again what is to be sent again, before anything new
     * @param seed of what consumers give back
     */
    void start(int firstProducer, List<Unresolved> again, long seed) {
        Lane.Mix mix = lane.mix();
        int number = firstProducer;
        for (int i = 0; i < mix.alone(); i++) {
            int producer = number++;
            Role role = i < mix.pipelining()
                    ? this::pipeline
                    : i < mix.pipelining() + mix.single() || !load.batches() ? this::single : this::batch;
            List<Unresolved> share = i == 0 ? again : List.of();
            producers.add(thread("producer " + producer + " of " + lane.channel(), () -> {
                for (Unresolved each : share) {
                    sendAgain(each);
                }
                role.run(producer);
            }));
        }
        startConsumers(seed);
        producers.forEach(Thread::start);
    }

    /** Begins without producers. */
    void startConsumers(long seed) {
        for (int i = 0; i < lane.mix().consumers(); i++) {
            Random random = new Random(seed + i);
            Thread consumer = thread("consumer " + i + " of " + lane.channel(), () -> consume(random));
            consumers.add(consumer);
            consumer.start();
        }
    }

    private interface Role {
        void run(int producer) throws InterruptedException;
    }

    private interface Work {
        void run() throws InterruptedException;
    }

    private Thread thread(String name, Work work) {
        return Thread.ofPlatform().name(name).daemon(true).unstarted(() -> {
            try {
                work.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException | Error e) {
                broken = e;
                throw e;
            }
        });
    }

    // ── Producers ────────────────────────────────────────────────────────────────────────────────────────────────────

    private void pipeline(int producer) throws InterruptedException {
        Semaphore room = new Semaphore(lane.mix().window());
        for (long sequence = 0; sending; sequence++) {
            long current = sequence;
            room.acquire();
            CompletableFuture<Load.Place> outcome = send(producer, current);
            if (outcome.isCompletedExceptionally()) {
                pause();
            }
            outcome.whenComplete((place, failure) -> room.release());
        }
        room.tryAcquire(lane.mix().window(), OUTCOME_SECONDS, TimeUnit.SECONDS);
    }

    private void single(int producer) throws InterruptedException {
        for (long sequence = 0; sending; sequence++) {
            if (await(send(producer, sequence)) != null) {
                pause();
            }
        }
    }

    private void batch(int producer) throws InterruptedException {
        for (long sequence = 0; sending; sequence += BATCH) {
            long first = sequence;
            int key = lane.key(producer, first);
            List<Load.Sending> messages = new ArrayList<>();
            for (int i = 0; i < BATCH; i++) {
                messages.add(lane.message(producer, first + i, key));
            }
            witness.attempted(producer, first, BATCH, key);
            Throwable failure = await(load.sendBatch(messages));
            if (failure == null) {
                witness.confirmed(producer, first, BATCH);
            } else {
                failed(producer, first, BATCH, failure);
                pause();
            }
        }
    }

    private void sendAgain(Unresolved message) throws InterruptedException {
        if (sending) {
            await(send(message.producer(), message.sequence()));
        }
    }

    /** Sends, and tells the witness what became of it before anybody else is told. */
    private CompletableFuture<Load.Place> send(int producer, long sequence) {
        int key = lane.key(producer, sequence);
        witness.attempted(producer, sequence, 1, key);
        CompletableFuture<Load.Place> outcome;
        try {
            outcome = load.send(lane.message(producer, sequence, key));
        } catch (RuntimeException e) {
            outcome = CompletableFuture.failedFuture(e);
        }
        return outcome.whenComplete((place, failure) -> {
            if (failure != null) {
                failed(producer, sequence, 1, failure);
            } else {
                if (place.offset() >= 0) {
                    witness.placed(producer, sequence, place.partition(), place.offset());
                }
                witness.confirmed(producer, sequence, 1);
            }
        });
    }

    private void failed(int producer, long first, int count, Throwable failure) {
        Throwable cause = cause(failure);
        if (cause instanceof Load.Refused) {
            refusal = cause.getMessage();
            witness.refused(producer, first, count);
        } else {
            witness.unknown(producer, first, count);
        }
    }

    private static Throwable cause(Throwable failure) {
        return (failure instanceof CompletionException || failure instanceof ExecutionException)
                        && failure.getCause() != null
                ? failure.getCause()
                : failure;
    }

    private static @Nullable Throwable await(CompletableFuture<?> outcome) throws InterruptedException {
        try {
            outcome.get(OUTCOME_SECONDS, TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException | TimeoutException e) {
            return e;
        }
    }

    private static void pause() {
        LockSupport.parkNanos(PAUSE_NANOS);
    }

    // ── Consumers ────────────────────────────────────────────────────────────────────────────────────────────────────

    private void consume(Random random) throws InterruptedException {
        while (receiving) {
            try (Load.Receiver receiver = load.receiver()) {
                while (receiving) {
                    take(receiver, random);
                }
            } catch (RuntimeException e) {
                if (receiving) {
                    pause();
                }
            }
        }
    }

    private void take(Load.Receiver receiver, Random random) throws InterruptedException {
        List<Load.Taken> taken = receiver.receive(TAKE, WAIT);
        if (taken.isEmpty()) {
            return;
        }
        List<Load.Taken> done = new ArrayList<>();
        List<Payload> payloads = new ArrayList<>();
        List<Load.Taken> back = new ArrayList<>();
        for (Load.Taken each : taken) {
            Payload payload = Payload.read(each.payload());
            witness.delivered(
                    0, each.attempt(), each.place().partition(), each.place().offset(), payload);
            if (payload != null && random.nextInt(GIVE_BACK_ONE_IN) == 0) {
                back.add(each);
            } else if (payload != null) {
                done.add(each);
                payloads.add(payload);
            } else {
                done.add(each);
            }
        }
        deliveries.addAndGet(taken.size());
        received.countDown();
        receiver.giveBack(back);
        if (await(receiver.acknowledge(done)) == null && receiver.settles() && payloads.size() == done.size()) {
            for (int i = 0; i < done.size(); i++) {
                Payload payload = payloads.get(i);
                witness.acknowledged(
                        0, payload.producer(), payload.sequence(), done.get(i).attempt());
            }
        }
    }

    // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Waits for the first delivery. @return false if there was none in time */
    boolean awaitDelivery(Duration patience) throws InterruptedException {
        return received.await(patience.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Deliveries so far. */
    long deliveries() {
        return deliveries.get();
    }

    /** What the broker said last when it refused a message; null if it never did. */
    @Nullable
    String refusal() {
        return refusal;
    }

    /** No new messages; those under way are waited for. */
    void stopSending() throws InterruptedException {
        sending = false;
        for (Thread producer : producers) {
            join(producer);
        }
    }

    /** Tells all threads to end. @return false if one has not within the time */
    boolean ends(long nanos) {
        sending = false;
        receiving = false;
        long end = System.nanoTime() + nanos;
        try {
            for (Thread thread : threads()) {
                if (!thread.join(Duration.ofNanos(Math.max(0, end - System.nanoTime())))) {
                    return false;
                }
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private List<Thread> threads() {
        List<Thread> threads = new ArrayList<>(producers);
        threads.addAll(consumers);
        return threads;
    }

    /**
     * Ends all threads, and says so if one of them failed by a fault of its own.
     *
     * @throws IllegalStateException if one did, or does not end
     */
    @Override
    public void close() {
        sending = false;
        receiving = false;
        try {
            for (Thread thread : threads()) {
                join(thread);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Throwable failure = broken;
        if (failure != null) {
            throw new IllegalStateException("the traffic on channel " + lane.channel() + " broke: " + failure, failure);
        }
    }

    private static void join(Thread thread) throws InterruptedException {
        if (!thread.join(Duration.ofSeconds(2 * OUTCOME_SECONDS))) {
            throw new IllegalStateException(thread.getName() + " does not end; it is at "
                    + List.of(thread.getStackTrace()).stream().limit(12).toList());
        }
    }
}
