package dev.postroad.conformance.patterns;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.Serdes;
import dev.postroad.conformance.Probe;
import dev.postroad.patterns.saga.MemorySagaStore;
import dev.postroad.patterns.saga.Orchestrator;
import dev.postroad.patterns.saga.Participant;
import dev.postroad.patterns.saga.Saga;
import dev.postroad.patterns.saga.SagaSettings;
import dev.postroad.patterns.saga.Step;
import dev.postroad.patterns.saga.StepFailedException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A saga whose last step fails. */
final class SagaCheck {
    private static final Format<String, String> STRINGS = Format.strings();

    private SagaCheck() {}

    static void undoneInReverse(Probe probe) {
        String name = probe.name();
        for (String each : List.of("", ".timeouts", ".dead", ".timeouts.dead")) {
            probe.deleteLater(name + each);
        }
        Channel service = probe.declare(PatternChecks.queue(probe));
        List<String> done = new CopyOnWriteArrayList<>();
        probe.listen(service, ConsumerOptions.DEFAULT, Participant.<String, String>of(probe.postroad(), command -> {
            if ("ship".equals(command.value())) {
                throw new StepFailedException("a failure that the check plans");
            }
            done.add(String.valueOf(command.value()));
            return Participant.nothing();
        }));
        Saga<String> saga = Saga.<String>of(name, Serdes.string())
                .withStep(Step.<String, String, String>of(
                                "reserve", service.name(), STRINGS, order -> Message.of(order, "reserve"))
                        .withCompensation(service.name(), STRINGS, order -> Message.of(order, "release")))
                .withStep(Step.<String, String, String>of(
                                "pay", service.name(), STRINGS, order -> Message.of(order, "charge"))
                        .withCompensation(service.name(), STRINGS, order -> Message.of(order, "refund")))
                .withStep(Step.of("ship", service.name(), STRINGS, order -> Message.of(order, "ship")));
        Orchestrator<String> sagas =
                probe.open(Orchestrator.open(probe.postroad(), saga, new MemorySagaStore(), SagaSettings.DEFAULT));
        sagas.start("order-1", "order-1");
        probe.await("that the saga is undone", () -> sagas.compensated() == 1);
        probe.equal("what was done", List.of("reserve", "charge", "refund", "release"), done);
    }
}
