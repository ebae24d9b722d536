package dev.postroad.proof.process;

import dev.postroad.proof.history.Witness;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A producer that sends a message of the same number to each of several lanes, to all or to none, one transaction after the other.
 * Like all {@link Traffic} it outlives the broker.
 */
final class Transacting implements AutoCloseable {
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private final Load load;
    private final List<Lane> lanes;
    private final List<? extends Witness> witnesses;
    private final Thread thread;
    private volatile boolean sending = true;

    /**
     * Begins.
     *
     * @param load of any of the lanes
     * @param witnesses one for each lane
     * @param producer its number, in all lanes
     */
    Transacting(Load load, List<Lane> lanes, List<? extends Witness> witnesses, int producer) {
        this.load = load;
        this.lanes = lanes;
        this.witnesses = witnesses;
        thread = Thread.ofPlatform()
                .name("transactions " + producer)
                .daemon(true)
                .start(() -> run(producer));
    }

    private void run(int producer) {
        for (long sequence = 0; sending; sequence++) {
            Map<String, Load.Sending> messages = new HashMap<>();
            for (int i = 0; i < lanes.size(); i++) {
                Lane lane = lanes.get(i);
                int key = lane.key(producer, sequence);
                messages.put(lane.channel(), lane.message(producer, sequence, key));
                witnesses.get(i).attempted(producer, sequence, 1, key);
            }
            long current = sequence;
            try {
                load.sendTogether(messages);
                witnesses.forEach(witness -> witness.confirmed(producer, current, 1));
            } catch (Load.Refused e) {
                witnesses.forEach(witness -> witness.refused(producer, current, 1));
                LockSupport.parkNanos(PAUSE_NANOS);
            } catch (RuntimeException e) {
                witnesses.forEach(witness -> witness.unknown(producer, current, 1));
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    @Override
    public void close() {
        sending = false;
        try {
            if (!thread.join(PATIENCE)) {
                throw new IllegalStateException(thread.getName() + " does not end; it is at "
                        + List.of(thread.getStackTrace()).stream().limit(12).toList());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
