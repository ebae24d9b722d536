package dev.postroad.transports.kafka;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A future of which mostly one is told, by {@link #whenComplete}: that one's action and its own stage are one object here, not two, and are
 * reached without the stack of dependents. Each object less is a line of cache less that goes from who sends to who confirms. All else
 * is as {@link CompletableFuture} has it.
 */
class Pending<T> extends CompletableFuture<T> {
    private static final VarHandle FIRST;

    static {
        try {
            FIRST = MethodHandles.lookup().findVarHandle(Pending.class, "first", First.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** In the place of the first once there is no first any more. */
    private static final First<?> PASSED = new First<>((value, failure) -> {});

    private volatile @Nullable First<T> first;

    private static final class First<T> extends CompletableFuture<T> {
        private final BiConsumer<? super T, ? super Throwable> action;

        First(BiConsumer<? super T, ? super Throwable> action) {
            this.action = action;
        }

        void tell(@Nullable T value, @Nullable Throwable failure) {
            if (isDone()) {
                // Who ended the stage by hand is not told.
                return;
            }
            Throwable told = failure;
            try {
                action.accept(value, failure);
            } catch (Throwable e) {
                if (told == null) {
                    told = e;
                } else if (told != e) {
                    told.addSuppressed(e);
                }
            }
            if (told == null) {
                complete(value);
            } else {
                completeExceptionally(told instanceof CompletionException ? told : new CompletionException(told));
            }
        }

        @Override
        public <U> CompletableFuture<U> newIncompleteFuture() {
            return new CompletableFuture<>();
        }
    }

    @Override
    public CompletableFuture<T> whenComplete(BiConsumer<? super T, ? super Throwable> action) {
        Objects.requireNonNull(action, "action");
        if (first == null && !isDone()) {
            First<T> own = new First<>(action);
            if (FIRST.compareAndSet(this, null, own)) {
                // Who completes this looks afterwards.
                return own;
            }
        }
        return super.whenComplete(action);
    }

    @Override
    public boolean complete(@Nullable T value) {
        boolean done = super.complete(value);
        First<T> waiting = takeFirst();
        if (waiting != null) {
            if (done) {
                waiting.tell(value, null);
            } else {
                super.whenComplete(waiting::tell);
            }
        }
        return done;
    }

    @Override
    public boolean completeExceptionally(Throwable failure) {
        boolean done = super.completeExceptionally(failure);
        tellFirst();
        return done;
    }

    /** Fails it with a {@link CancellationException}, as every future; what is under way goes on. */
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        tellFirst();
        return cancelled;
    }

    private void tellFirst() {
        First<T> waiting = takeFirst();
        if (waiting != null) {
            super.whenComplete(waiting::tell);
        }
    }

    @SuppressWarnings("unchecked")
    private @Nullable First<T> takeFirst() {
        First<T> waiting = (First<T>) FIRST.getAndSet(this, PASSED);
        return waiting == PASSED ? null : waiting;
    }

    /** What is made of this is an ordinary future. */
    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }
}
