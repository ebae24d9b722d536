package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.journal.JournalSettings;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A disk that was full is used again once consumers have made room, although nobody publishes meanwhile. */
class SpaceReturnsTest {
    private static final EngineSettings SETTINGS = EngineSettings.DEFAULTS
            .withJournal(JournalSettings.defaults()
                    .withSegmentBytes(1 << 20)
                    .withBufferBytes(64 << 10)
                    .withLowWaterBytes(1 << 20))
            .withCacheBytes(1 << 20);

    @Test
    void publishersAreToldAsSoonAsConsumersHaveCaughtUp() {
        try (Rig rig = new Rig(SETTINGS)) {
            List<String> told = new ArrayList<>();
            rig.engine().watch(new FlowSink() {
                @Override
                public void blocked(String reason) {
                    told.add("blocked");
                }

                @Override
                public void unblocked() {
                    told.add("unblocked");
                }
            });
            rig.declare(QueueDefinition.named("kept"));
            rig.declare(QueueDefinition.named("q"));
            rig.disk().capacity(6 << 20);
            rig.advance(500);
            int count = 0;
            while (told.isEmpty() && count < 1000) {
                count++;
                Rig.Answer<Command.Published> answer =
                        rig.submit(Rig.publishing(count % 50 == 0 ? "kept" : "q", Rig.message("x".repeat(20_000))));
                rig.advance(10);
                assertThat(answer.hasCome()).isTrue();
            }
            assertThat(told).containsExactly("blocked");
            Rig.Taker taker = rig.consume("q", 10);
            taker.acknowledgeAll();
            rig.advance(5_000);
            assertThat(told).containsExactly("blocked", "unblocked");
        }
    }
}
