package dev.postroad.patterns.saga;

import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.saga.Progress.Input;
import dev.postroad.patterns.saga.SagaState.Status;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Runs the sagas of one kind. Safe for use by many threads, and to be opened in every instance of a program, with one store.
 *
 * <pre>{@code
 *   Orchestrator<Order> checkouts = Orchestrator.open(postroad, checkout, store, SagaSettings.DEFAULT);
 *   checkouts.start(order.id(), order);
 * }</pre>
 *
 * <p>A change of state is stored first, if nobody else was faster, and what follows from it is sent then. A crash between the
 * two repeats the answer that caused the change; it comes too late by then, and what the stored state implies is sent again,
 * with the same ids.
 *
 * @param <S> type of the sagas' data
 */
public final class Orchestrator<S> implements AutoCloseable {
    private static final int MAX_ID = 200;
    private static final Duration SOMEBODY_WAS_FASTER = Duration.ofMillis(20);
    private static final System.Logger LOG = System.getLogger(Orchestrator.class.getName());

    /** A timeout that is needless and nearer than this comes and is passed over: taking it off costs more than that. */
    private static final Duration NEAR = Duration.ofMinutes(1);

    private static final Duration BETWEEN_CLEANUPS = Duration.ofMinutes(1);
    private static final int CLEANED_AT_ONCE = 1_000;

    private final Postroad postroad;
    private final Saga<S> saga;
    private final Progress<S> progress;
    private final SagaStore store;
    private final SagaSettings settings;
    private final MessageProducer<byte[], byte[]> producer;
    private final List<Subscription> subscriptions = new ArrayList<>();
    private final AtomicLong completed = new AtomicLong();
    private final AtomicLong compensated = new AtomicLong();
    private final AtomicLong stuck = new AtomicLong();
    private final AtomicLong conflicts = new AtomicLong();
    private final AtomicReference<Instant> nextCleanup = new AtomicReference<>(Instant.MIN);

    private Orchestrator(Postroad postroad, Saga<S> saga, SagaStore store, SagaSettings settings) {
        this.postroad = postroad;
        this.saga = saga;
        this.progress = new Progress<>(saga);
        this.store = store;
        this.settings = settings;
        this.producer = postroad.producer(Format.bytes());
    }

    /**
     * Declares the saga's channels, {@code NAME} and {@code NAME.timeouts}, and begins to handle what comes.
     *
     * @throws MessagingException {@code IMPOSSIBLE_NEED} where the transport can't delay messages
     */
    public static <S> Orchestrator<S> open(Postroad postroad, Saga<S> saga, SagaStore store, SagaSettings settings) {
        Capability delay = postroad.transport().capabilities().get(Need.DELAY);
        if (delay != null && delay.support() == Capability.Support.IMPOSSIBLE) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "saga " + saga.name()
                            + " needs delivery at a later time, for its timeouts, which this transport cannot do: "
                            + delay.note());
        }
        Channel answers = Channel.command(saga.name()).withRetry(settings.retry());
        Channel timeouts = Channel.command(saga.name() + ".timeouts").withRetry(settings.retry());
        postroad.declare(answers, timeouts);
        Orchestrator<S> orchestrator = new Orchestrator<>(postroad, saga, store, settings);
        for (Channel channel : List.of(answers, timeouts)) {
            orchestrator.subscriptions.add(postroad.listen(
                    channel.name(),
                    Format.bytes(),
                    ConsumerOptions.DEFAULT.withConcurrency(settings.concurrency()),
                    orchestrator::handle));
        }
        return orchestrator;
    }

    // ── For the program ──────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Starts a saga. Starting one that is there already does nothing; one that ended and was forgotten (see {@link
     * SagaSettings#retention}) is not there.
     *
     * @param id of the saga: what it is about, an order's number say; 1 to {@value #MAX_ID} characters
     * @throws MessagingException {@code INVALID} for an id out of bounds; else as {@link MessageProducer#send}: when this
     *     returns, the saga will run
     */
    public void start(String id, S data) {
        if (id.isEmpty() || id.length() > MAX_ID) {
            throw new MessagingException(
                    Reason.INVALID, "the saga's id is '" + id + "'; it must have 1 to " + MAX_ID + " characters");
        }
        producer.send(saga.name(), toItself(id, SagaHeaders.START, saga.data().serialize(data)));
    }

    /** Where a saga stands; empty if there is none, or if it has not begun yet. */
    public Optional<SagaState> find(String id) {
        return store.find(saga.name(), id);
    }

    /** The data of a state. */
    public S data(SagaState state) {
        return saga.data().deserialize(state.data());
    }

    /**
     * Sagas that need somebody to look: undoing a step failed, or nothing has happened although the deadline passed a while ago.
     *
     * @param max at most so many, 1 or more
     */
    public List<SagaState> stuck(int max) {
        return store.stuck(saga.name(), settings.clock().instant().minus(settings.overdue()), max);
    }

    /**
     * Tries again what a stuck saga failed at, and sends again what one that is merely overdue waits for.
     *
     * @throws MessagingException {@code NOT_FOUND} if there is no such saga
     */
    public void resume(String id) {
        SagaState state = store.find(saga.name(), id)
                .orElseThrow(() ->
                        new MessagingException(Reason.NOT_FOUND, "there is no saga '" + id + "' of " + saga.name()));
        producer.send(
                saga.name(),
                toItself(id, SagaHeaders.RESUME, new byte[0])
                        .withId(saga.name() + "/" + id + "/resume/" + state.version()));
    }

    private Message<byte[], byte[]> toItself(String id, String what, byte[] value) {
        return Message.of(id.getBytes(StandardCharsets.UTF_8), value)
                .withId(saga.name() + "/" + id + "/" + what)
                .withCorrelationId(id)
                .withHeader(SagaHeaders.OUTCOME, what);
    }

    // ── What comes ───────────────────────────────────────────────────────────────────────────────────────────────────

    private void handle(Delivery<byte[], byte[]> delivery) {
        Message<byte[], byte[]> message = delivery.message();
        String id = message.correlationId();
        String what = message.headers().get(SagaHeaders.OUTCOME);
        if (id == null || what == null) {
            throw new Handler.DeadLetterException("it is no answer to a saga: it lacks "
                    + (id == null ? "a correlation id" : "the header " + SagaHeaders.OUTCOME));
        }
        byte[] value = message.value() == null ? new byte[0] : message.value();
        if (what.equals(SagaHeaders.START)) {
            begin(id, value, delivery.attempt() > 1);
            return;
        }
        Input input = input(message, what, value);
        SagaState state = store.find(saga.name(), id).orElse(null);
        if (state == null) {
            if (settings.retention() != null && !(input instanceof Input.Resume)) {
                return; // An answer or a timeout so late that its saga has ended and is forgotten.
            }
            throw new Handler.DeadLetterException("there is no saga '" + id + "' of " + saga.name());
        }
        SagaState next = progress.after(state, input, settings.clock().instant());
        if (next == null) {
            // Too late; or this very message was handled, and its handler died before it had sent what follows.
            if (delivery.attempt() > 1 || input instanceof Input.Resume) {
                follow(state);
            }
        } else if (store.update(next)) {
            count(next);
            follow(next);
            if (!(input instanceof Input.TimedOut)) {
                takeOffTimeout(state);
            }
            if (next.status().ended()) {
                forgetEnded();
            }
        } else {
            conflicts.incrementAndGet();
            throw new Handler.RetryAfterException("another instance changed saga " + id, SOMEBODY_WAS_FASTER);
        }
    }

    private void begin(String id, byte[] data, boolean again) {
        SagaState first = progress.first(id, data, settings.clock().instant());
        if (store.insert(first)) {
            count(first);
            follow(first);
        } else if (again) {
            store.find(saga.name(), id).filter(state -> state.version() == 1).ifPresent(this::follow);
        }
    }

    private static Input input(Message<byte[], byte[]> message, String what, byte[] value) {
        String token = message.headers().getOrDefault(SagaHeaders.STEP, "");
        return switch (what) {
            case SagaHeaders.DONE -> new Input.Done(token, value);
            case SagaHeaders.FAILED ->
                new Input.Failed(token, message.headers().getOrDefault(SagaHeaders.REASON, "no reason given"));
            case SagaHeaders.TIMEOUT -> new Input.TimedOut(token, attempt(message));
            case SagaHeaders.RESUME -> new Input.Resume();
            default ->
                throw new Handler.DeadLetterException(
                        "its header " + SagaHeaders.OUTCOME + " is '" + what + "', which no saga knows");
        };
    }

    private static int attempt(Message<byte[], byte[]> timeout) {
        String text = timeout.headers().getOrDefault(SagaHeaders.ATTEMPT, "");
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new Handler.DeadLetterException(
                    "its header " + SagaHeaders.ATTEMPT + " is '" + text + "', no number");
        }
    }

    private void count(SagaState state) {
        switch (state.status()) {
            case COMPLETED -> completed.incrementAndGet();
            case COMPENSATED -> compensated.incrementAndGet();
            case STUCK -> stuck.incrementAndGet();
            default -> {
                // under way
            }
        }
    }

    // ── What follows ─────────────────────────────────────────────────────────────────────────────────────────────────

    /** Sends what a stored state implies; the timeout first, so that whatever fails here is tried again. */
    private void follow(SagaState state) {
        Instant deadline = state.deadline();
        if (deadline == null) {
            return;
        }
        Step<S> step = saga.steps().get(progress.index(state));
        Step.Send<S> send = state.status() == Status.RUNNING ? step.action() : step.compensation();
        if (send == null) {
            return;
        }
        producer.send(
                saga.name() + ".timeouts",
                toItself(state.id(), SagaHeaders.TIMEOUT, new byte[0])
                        .withId(timeoutId(state))
                        .withHeader(SagaHeaders.STEP, state.token())
                        .withHeader(SagaHeaders.ATTEMPT, String.valueOf(state.attempt()))
                        .withDeliverAt(deadline));
        producer.send(
                send.channel(),
                send.message()
                        .apply(data(state))
                        .withId(commandId(state))
                        .withCorrelationId(state.id())
                        .withReplyTo(saga.name())
                        .withHeader(SagaHeaders.STEP, state.token()));
    }

    /** What it waited for has come. That the timeout stays does no harm, so neither does that this fails. */
    private void takeOffTimeout(SagaState state) {
        Instant deadline = state.deadline();
        if (deadline == null || !deadline.isAfter(settings.clock().instant().plus(NEAR))) {
            return;
        }
        try {
            postroad.administration().cancel(saga.name() + ".timeouts", timeoutId(state));
        } catch (MessagingException e) {
            LOG.log(
                    Level.DEBUG,
                    "a timeout of saga {0} stays until its time and is passed over then: {1}",
                    state.id(),
                    e.getMessage());
        }
    }

    /** What fails here is tried again later: the saga goes on. */
    private void forgetEnded() {
        Duration retention = settings.retention();
        Instant now = settings.clock().instant();
        Instant due = nextCleanup.get();
        if (retention == null || now.isBefore(due) || !nextCleanup.compareAndSet(due, now.plus(BETWEEN_CLEANUPS))) {
            return;
        }
        try {
            if (store.forget(saga.name(), now.minus(retention), CLEANED_AT_ONCE) == CLEANED_AT_ONCE) {
                nextCleanup.set(now);
            }
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "ended sagas of " + saga.name() + " could not be forgotten: " + e.getMessage());
        }
    }

    private String timeoutId(SagaState state) {
        return commandId(state) + "/timeout/" + state.version();
    }

    private String commandId(SagaState state) {
        return saga.name() + "/" + state.id() + "/" + state.token();
    }

    // ── Figures ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Sagas that this instance saw completed. */
    public long completed() {
        return completed.get();
    }

    /** Sagas that this instance saw undone. */
    public long compensated() {
        return compensated.get();
    }

    /** Sagas that this instance saw get stuck. */
    public long gotStuck() {
        return stuck.get();
    }

    /** How often another instance, or another thread, had changed a saga first. */
    public long conflicts() {
        return conflicts.get();
    }

    /** Handles nothing more; sagas go on in other instances, or at the next start. Idempotent. */
    @Override
    public void close() {
        subscriptions.forEach(Subscription::close);
        producer.close();
    }
}
