package dev.postroad.transports.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever a future of the JDK does this does, too: the same is done to both, and what they tell must be equal. */
@Timeout(60)
class PendingTest {
    private static final IllegalStateException FAILURE = new IllegalStateException("refused");

    /** What was told, and what became of the stages, in words. */
    private static List<String> story(
            Supplier<CompletableFuture<String>> futures, List<Consumer<CompletableFuture<String>>> steps, int early) {
        List<String> story = new ArrayList<>();
        CompletableFuture<String> future = futures.get();
        List<CompletableFuture<String>> stages = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int number = i;
            if (i == early) {
                steps.forEach(step -> step.accept(future));
            }
            stages.add(future.whenComplete((value, failure) -> story.add(number + " told " + value + ", " + failure)));
        }
        if (early > 2) {
            steps.forEach(step -> step.accept(future));
        }
        // Among those that wait the order is nobody's promise.
        story.sort(null);
        story.add(end(future));
        stages.forEach(stage -> story.add(end(stage)));
        return story;
    }

    private static String end(CompletableFuture<String> stage) {
        if (!stage.isDone()) {
            return "open";
        }
        return stage.handle((value, failure) -> value + ", " + failure + (stage.isCancelled() ? ", cancelled" : ""))
                .join();
    }

    @Test
    void tellsWhatEveryFutureTells() {
        List<List<Consumer<CompletableFuture<String>>>> endings = List.of(
                List.of(),
                List.of(future -> future.complete("stored")),
                List.of(future -> future.complete(null)),
                List.of(future -> future.complete("stored"), future -> future.complete("again")),
                List.of(future -> future.completeExceptionally(FAILURE)),
                List.of(future -> future.completeExceptionally(new CompletionException(FAILURE))),
                List.of(future -> future.completeExceptionally(FAILURE), future -> future.complete("late")),
                List.of(future -> future.cancel(true)),
                List.of(future -> future.cancel(true), future -> future.complete("late")),
                List.of(future -> future.complete("stored"), future -> future.cancel(true)));
        for (List<Consumer<CompletableFuture<String>>> steps : endings) {
            for (int early = 0; early <= 3; early++) {
                assertThat(story(Pending::new, steps, early)).isEqualTo(story(CompletableFuture::new, steps, early));
            }
        }
    }

    @Test
    void whatAnActionThrowsFailsItsStageOnly() {
        Pending<String> future = new Pending<>();
        CompletableFuture<String> throwing = future.whenComplete((value, failure) -> {
            throw FAILURE;
        });
        CompletableFuture<String> calm = future.whenComplete((value, failure) -> {});
        assertThat(future.complete("stored")).isTrue();
        assertThat(future.join()).isEqualTo("stored");
        assertThat(calm.join()).isEqualTo("stored");
        assertThatThrownBy(throwing::join)
                .isInstanceOf(CompletionException.class)
                .hasCause(FAILURE);
    }

    @Test
    void afterAFailureWhatTheActionThrowsIsKeptBesideIt() {
        Pending<String> future = new Pending<>();
        IllegalStateException failure = new IllegalStateException("refused");
        CompletableFuture<String> stage = future.whenComplete((value, why) -> {
            throw new IllegalArgumentException("the action's own");
        });
        future.completeExceptionally(failure);
        assertThatThrownBy(stage::join).isInstanceOf(CompletionException.class).hasCause(failure);
        assertThat(failure.getSuppressed()).hasSize(1);
        assertThat(failure.getSuppressed()[0]).hasMessage("the action's own");
    }

    @Test
    void aTimeThatRunsOutEndsItAndTellsOfIt() throws Exception {
        Pending<String> future = new Pending<>();
        CompletableFuture<Throwable> told = new CompletableFuture<>();
        future.whenComplete((value, failure) -> told.complete(failure));
        future.orTimeout(1, TimeUnit.MILLISECONDS);
        assertThat(told.get()).isInstanceOf(TimeoutException.class);
        assertThat(future.complete("late")).isFalse();
    }

    @Test
    void cancellingAStageLeavesTheFutureAloneAndIsNotTold() {
        for (CompletableFuture<String> future : List.of(new Pending<String>(), new CompletableFuture<String>())) {
            AtomicInteger told = new AtomicInteger();
            CompletableFuture<String> stage = future.whenComplete((value, failure) -> told.incrementAndGet());
            stage.cancel(true);
            assertThat(future.complete("stored")).isTrue();
            assertThat(future.join()).isEqualTo("stored");
            assertThat(told).hasValue(0);
            assertThatThrownBy(stage::join).isInstanceOf(CancellationException.class);
        }
    }

    @Test
    void isToldOnceHoweverAskingAndEndingMeet() throws Exception {
        int rounds = 20_000;
        AtomicInteger told = new AtomicInteger();
        List<Pending<Integer>> futures = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
            futures.add(new Pending<>());
        }
        CyclicBarrier together = new CyclicBarrier(2);
        Thread ending = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < rounds; i++) {
                meet(together);
                futures.get(i).complete(i);
            }
        });
        List<CompletableFuture<Integer>> stages = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
            meet(together);
            stages.add(futures.get(i).whenComplete((value, failure) -> told.incrementAndGet()));
        }
        ending.join();
        for (int i = 0; i < rounds; i++) {
            assertThat(stages.get(i).join()).isEqualTo(i);
        }
        assertThat(told).hasValue(rounds);
    }

    private static void meet(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
