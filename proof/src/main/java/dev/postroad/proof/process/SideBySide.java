package dev.postroad.proof.process;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Several things at once, each on a thread of its own. */
final class SideBySide {
    private SideBySide() {}

    interface Work {
        void run() throws Exception;
    }

    /** Returns when all have ended. @throws Exception what the first of those that failed failed with */
    static void run(List<Work> all) throws Exception {
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            List<Future<?>> ends = new ArrayList<>();
            for (Work work : all) {
                ends.add(threads.submit(() -> {
                    work.run();
                    return null;
                }));
            }
            for (Future<?> end : ends) {
                end.get();
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }
}
