package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.runtime.Broker;
import dev.postroad.engine.runtime.BrokerSettings;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PublishEachTest {
    private Broker broker;

    @BeforeEach
    void open() {
        broker = Broker.open(BrokerSettings.memory(256 << 20));
    }

    @AfterEach
    void close() {
        broker.close();
    }

    @Test
    void messages_that_a_full_queue_refuses_do_not_keep_those_before_them() {
        declare(QueueDefinition.named("q").withMaxMessages(3));

        Command.EachPublished outcome = publish(null, "q", false, 5);

        assertThat(outcome.refusals().subList(0, 3)).containsOnlyNulls();
        assertThat(outcome.refusals().subList(3, 5))
                .extracting(EngineException::reason)
                .containsOnly(EngineException.Reason.FULL);
        assertThat(payloads("q")).containsExactly("0", "1", "2");
    }

    @Test
    void where_nothing_is_refused_all_are_published_in_order() {
        declare(QueueDefinition.named("q"));

        assertThat(publish(null, "q", false, 5)).isEqualTo(Command.EachPublished.ALL);

        assertThat(payloads("q")).containsExactly("0", "1", "2", "3", "4");
    }

    @Test
    void a_channel_that_is_not_there_refuses_each() {
        Command.EachPublished outcome = publish(null, "nowhere", false, 2);

        assertThat(outcome.refusals())
                .extracting(EngineException::reason)
                .containsExactly(EngineException.Reason.NOT_FOUND, EngineException.Reason.NOT_FOUND);
    }

    @Test
    void an_event_loop_that_drives_has_the_reply_of_what_it_staged() throws Exception {
        declare(QueueDefinition.named("q"));
        CompletableFuture<Command.EachPublished> reply = new CompletableFuture<>();

        broker.stage(new Command.PublishEach(messages(null, "q", false, 1), new Reply<>() {
            @Override
            public void done(Command.EachPublished result) {
                reply.complete(result);
            }

            @Override
            public void failed(EngineException cause) {
                reply.completeExceptionally(cause);
            }
        }));
        broker.drive();

        assertThat(reply.get(10, java.util.concurrent.TimeUnit.SECONDS)).isEqualTo(Command.EachPublished.ALL);
    }

    private void declare(QueueDefinition definition) {
        broker.await((Reply<Boolean> reply) -> new Command.Declare(definition, null, reply));
    }

    private Command.EachPublished publish(String topic, String channel, boolean mandatory, int count) {
        return broker.await((Reply<Command.EachPublished> reply) ->
                new Command.PublishEach(messages(topic, channel, mandatory, count), reply));
    }

    private static Command.Publish messages(String topic, String channel, boolean mandatory, int count) {
        List<EngineMessage> messages = IntStream.range(0, count)
                .mapToObj(i -> EngineMessage.of(Integer.toString(i).getBytes(StandardCharsets.UTF_8)))
                .toList();
        return new Command.Publish(topic, channel, messages, null, mandatory, null, Reply.ignored());
    }

    private List<String> payloads(String queue) {
        List<Command.Browsed> browsed =
                broker.await((Reply<List<Command.Browsed>> reply) -> new Command.Browse(queue, null, null, 100, reply));
        return browsed.stream()
                .map(b -> new String(b.message().payload(), StandardCharsets.UTF_8))
                .toList();
    }
}
