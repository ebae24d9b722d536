package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.engine.runtime.BrokerSettings;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GetTest {
    private static final Object CONNECTION = new Object();
    private static final Object CHANNEL = new Object();

    private Broker broker;

    @BeforeEach
    void open() {
        broker = Broker.open(BrokerSettings.memory(256 << 20));
        declare(QueueDefinition.named("q").withAutoDelete(true));
    }

    @AfterEach
    void close() {
        broker.close();
    }

    @Test
    void messages_are_taken_in_order_and_the_rest_is_counted() {
        publish("a", "b", "c");

        Command.Got first = get(false);

        assertThat(text(first)).isEqualTo("a");
        assertThat(first.ready()).isEqualTo(2);
        assertThat(text(get(true))).isEqualTo("b");
        assertThat(text(get(false))).isEqualTo("c");
        assertThat(get(false)).isEqualTo(new Command.Got(null, 0));
    }

    @Test
    void what_its_owner_held_goes_back_when_it_closes_and_the_queue_stays() {
        publish("a");
        get(false);

        broker.await((Reply<Integer> reply) -> new Command.CloseOwner(CONNECTION, reply));

        Command.Got again = get(false);
        assertThat(text(again)).isEqualTo("a");
        assertThat(again.delivery().attempt()).isEqualTo(2);
    }

    @Test
    void what_its_owner_held_goes_with_a_queue_that_goes_with_its_last_consumer() {
        declare(QueueDefinition.named("letters"));
        declare(QueueDefinition.named("short")
                .withAutoDelete(true)
                .withDeliveryLimit(1)
                .withDeadLetter(QueueDefinition.DeadLetterTarget.channel("letters")));
        subscribe("short", "colour = 'red'");
        publishTo("short", 0, "a");
        broker.await((Reply<Command.Got> reply) -> new Command.Get("short", false, CONNECTION, CHANNEL, reply));

        broker.await((Reply<Integer> reply) -> new Command.CloseOwner(CONNECTION, reply));

        assertThat(broker.await((Reply<Command.Described> reply) -> new Command.Describe("short", false, reply))
                        .definition())
                .isNull();
        assertThat(take("letters").delivery()).isNull();
    }

    @Test
    void what_was_taken_is_settled_like_any_delivery() {
        publish("a", "b");
        EngineDelivery first = get(false).delivery();
        EngineDelivery second = get(false).delivery();

        settle(first, Command.Outcome.Acknowledge.INSTANCE);
        settle(second, new Command.Outcome.Release(0, null, true));

        assertThat(text(get(true))).isEqualTo("b");
        assertThat(get(true).delivery()).isNull();
    }

    @Test
    void what_the_filters_of_consumers_leave_is_taken_in_its_turn() {
        declare(QueueDefinition.named("lanes").withPriorities(2));
        subscribe("lanes", "colour = 'red'");
        subscribe("lanes", "colour = 'red' OR colour = 'green'");
        publishTo("lanes", 0, "a", "b");
        publishTo("lanes", 1, "c", "d");
        publishTo("lanes", 0, "e");

        assertThat(List.of(text(take("lanes")), text(take("lanes")), text(take("lanes"))))
                .containsExactly("c", "d", "a");
        publishTo("lanes", 1, "f");
        assertThat(List.of(text(take("lanes")), text(take("lanes")), text(take("lanes"))))
                .containsExactly("f", "b", "e");
        assertThat(take("lanes").delivery()).isNull();
    }

    @Test
    void a_queue_that_somebody_consumes_alone_is_refused() {
        broker.await((Reply<Long> reply) -> new Command.Subscribe(
                "q",
                null,
                new Command.ConsumerSettings(1, true, false, true, 0, 0, null, null, "alone"),
                new DeliverySink() {
                    @Override
                    public void deliver(EngineDelivery delivery) {}

                    @Override
                    public void cancelled(String reason) {}
                },
                reply));

        assertThatThrownBy(() -> get(false))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.IN_USE));
    }

    @Test
    void a_queue_is_described_with_what_is_ready_and_who_consumes() {
        publish("a", "b");
        get(false);

        Command.Described queue =
                broker.await((Reply<Command.Described> reply) -> new Command.Describe("q", false, reply));
        Command.Described nothing =
                broker.await((Reply<Command.Described> reply) -> new Command.Describe("q", true, reply));

        assertThat(queue.ready()).isEqualTo(1);
        assertThat(queue.consumers()).isZero();
        assertThat(nothing.definition()).isNull();
    }

    private void subscribe(String queue, String filter) {
        broker.await((Reply<Long> reply) -> new Command.Subscribe(
                queue,
                null,
                new Command.ConsumerSettings(1, true, false, false, 0, 0, Rule.parse(filter), CONNECTION, "filtered"),
                new DeliverySink() {
                    @Override
                    public void deliver(EngineDelivery delivery) {
                        throw new AssertionError(delivery + " has no colour");
                    }

                    @Override
                    public void cancelled(String reason) {}
                },
                reply));
    }

    private void declare(QueueDefinition definition) {
        broker.await((Reply<Boolean> reply) -> new Command.Declare(definition, null, reply));
    }

    private void publish(String... texts) {
        for (String text : texts) {
            List<EngineMessage> one = List.of(EngineMessage.of(text.getBytes(StandardCharsets.UTF_8)));
            broker.await(
                    (Reply<Command.Published> reply) -> new Command.Publish(null, "q", one, null, false, null, reply));
        }
    }

    private void publishTo(String queue, int priority, String... texts) {
        for (String text : texts) {
            List<EngineMessage> one = List.of(
                    EngineMessage.of(text.getBytes(StandardCharsets.UTF_8)).withPriority(priority));
            broker.await((Reply<Command.Published> reply) ->
                    new Command.Publish(null, queue, one, null, false, null, reply));
        }
    }

    private Command.Got take(String queue) {
        return broker.await((Reply<Command.Got> reply) -> new Command.Get(queue, true, CONNECTION, CHANNEL, reply));
    }

    private Command.Got get(boolean autoAcknowledge) {
        return broker.await(
                (Reply<Command.Got> reply) -> new Command.Get("q", autoAcknowledge, CONNECTION, CHANNEL, reply));
    }

    private void settle(EngineDelivery delivery, Command.Outcome outcome) {
        int passedOver = broker.await((Reply<Integer> reply) ->
                new Command.Settle(delivery.consumerId(), new long[] {delivery.number()}, 1, outcome, reply));
        assertThat(passedOver).isZero();
    }

    private static String text(Command.Got got) {
        return new String(got.delivery().message().payload(), StandardCharsets.UTF_8);
    }
}
