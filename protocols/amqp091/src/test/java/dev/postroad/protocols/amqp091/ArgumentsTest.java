package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.engine.Durability;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Declarations as clients say them, as the engine keeps them, and compared when they come again. */
class ArgumentsTest {
    private static final VirtualHost ROOT = VirtualHost.DEFAULT;

    private static Map<String, @Nullable Object> table(@Nullable Object... namesAndValues) {
        Map<String, @Nullable Object> table = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            table.put(String.valueOf(namesAndValues[i]), namesAndValues[i + 1]);
        }
        return table;
    }

    private static QueueArguments.Declared durable(@Nullable Object... arguments) {
        return new QueueArguments.Declared(true, false, false, table(arguments));
    }

    private static QueueDefinition queue(@Nullable Object... arguments) {
        return (QueueDefinition) QueueArguments.definition("q", ROOT, durable(arguments));
    }

    private static void refused(String saying, @Nullable Object... arguments) {
        assertThatThrownBy(() -> QueueArguments.definition("q", ROOT, durable(arguments)))
                .isInstanceOfSatisfying(
                        AmqpException.class, e -> assertThat(e.code()).isEqualTo(ReplyCode.PRECONDITION_FAILED))
                .hasMessageContaining("queue 'q' in vhost '/'")
                .hasMessageContaining(saying);
    }

    private static Object whole(Generator gen, long low, long high) {
        long value = gen.between(low, high);
        return value <= Integer.MAX_VALUE && gen.flip() ? (Object) (int) value : (Object) value;
    }

    private static QueueArguments.Declared anyQueue(Generator gen) {
        Map<String, @Nullable Object> arguments = new LinkedHashMap<>();
        String type = gen.choose("none", "classic", "quorum", "stream");
        if (!type.equals("none")) {
            arguments.put("x-queue-type", type);
        }
        if (gen.flip()) {
            arguments.put("x-max-length-bytes", whole(gen, 1, 1L << 40));
        }
        if (type.equals("stream")) {
            if (gen.flip()) {
                arguments.put("x-max-age", gen.between(1, 100) + gen.choose("Y", "M", "D", "h", "m", "s"));
            }
            return new QueueArguments.Declared(true, false, false, arguments);
        }
        boolean quorum = type.equals("quorum");
        if (gen.flip()) {
            arguments.put("x-message-ttl", whole(gen, 0, 0xFFFF_FFFFL));
        }
        if (gen.flip()) {
            arguments.put("x-expires", whole(gen, 1, 0xFFFF_FFFFL));
        }
        if (gen.flip()) {
            arguments.put("x-max-length", whole(gen, 1, 1L << 40));
        }
        if (gen.flip()) {
            arguments.put("x-dead-letter-exchange", gen.choose("", "dlx", "grün = %:"));
            if (gen.flip()) {
                arguments.put("x-dead-letter-routing-key", gen.text(0, 20));
            }
        }
        if (gen.flip()) {
            arguments.put(
                    "x-overflow",
                    quorum
                            ? gen.choose("drop-head", "reject-publish")
                            : gen.choose("drop-head", "reject-publish", "reject-publish-dlx"));
        }
        if (gen.flip()) {
            arguments.put("x-single-active-consumer", gen.flip());
        }
        if (gen.flip()) {
            arguments.put("x-delivery-limit", whole(gen, 0, 100));
        }
        if (!quorum && gen.flip()) {
            arguments.put("x-max-priority", (short) gen.between(0, 255));
        }
        return quorum
                ? new QueueArguments.Declared(true, false, false, arguments)
                : new QueueArguments.Declared(gen.flip(), gen.flip(), gen.flip(), arguments);
    }

    @Test
    void aQueueDeclaredAgainIsTheSameAndOneThatDiffersInAnArgumentIsToldWhich() {
        Property.forAll("queue arguments", 2_000, gen -> {
            VirtualHost host = gen.choose(ROOT, VirtualHost.named("other"));
            QueueArguments.Declared declared = anyQueue(gen);
            boolean keyless = "".equals(declared.arguments().get("x-dead-letter-exchange"))
                    && !declared.arguments().containsKey("x-dead-letter-routing-key");
            VirtualHost in = keyless ? ROOT : host;
            var definition = QueueArguments.definition("q", in, declared);
            assertThat(QueueArguments.declared(definition, in)).isEqualTo(declared);
            assertThat(QueueArguments.definition("q", in, declared)).isEqualTo(definition);
            assertThat(QueueArguments.difference("q", in, definition, declared)).isNull();
            for (String name : declared.arguments().keySet()) {
                if (!name.equals("x-queue-type")) {
                    Map<String, @Nullable Object> fewer = new LinkedHashMap<>(declared.arguments());
                    fewer.remove(name);
                    assertThat(QueueArguments.difference(
                                    "q",
                                    in,
                                    definition,
                                    new QueueArguments.Declared(
                                            declared.durable(), declared.exclusive(), declared.autoDelete(), fewer)))
                            .startsWith("inequivalent arg '" + name + "' for queue 'q' in vhost")
                            .contains("received none but current is the value");
                }
            }
        });
    }

    @Test
    void whatDiffersIsToldAsRabbitMqTellsIt() {
        QueueDefinition there = queue("x-max-length", 10);
        assertThat(QueueArguments.difference("q", ROOT, there, durable("x-max-length", 5)))
                .isEqualTo(
                        "inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received '5' but current is '10'");
        assertThat(QueueArguments.difference("q", ROOT, there, durable()))
                .isEqualTo(
                        "inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received none but current is the"
                                + " value '10' of type 'signedint'");
        assertThat(QueueArguments.difference("q", ROOT, there, durable("x-max-length", 10L)))
                .isNull();
        assertThat(QueueArguments.difference(
                        "q", ROOT, queue(), new QueueArguments.Declared(false, false, false, table())))
                .isEqualTo(
                        "inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'");
        assertThat(QueueArguments.difference("q", ROOT, queue(), durable("x-queue-type", "classic")))
                .isNull();
    }

    @Test
    void aPlainQueueIsTheSameForEveryProtocolAndOnesOfOthersReadAsArguments() {
        assertThat(queue()).isEqualTo(QueueDefinition.named("q"));
        QueueDefinition made = QueueDefinition.named("q")
                .withTtlMillis(5)
                .withMaxMessages(3)
                .withOverflow(Overflow.DROP_OLDEST)
                .withDeadLetter(DeadLetterTarget.channel("dead"));
        assertThat(QueueArguments.difference(
                        "q",
                        ROOT,
                        made,
                        durable(
                                "x-message-ttl", 5,
                                "x-max-length", 3,
                                "x-overflow", "drop-head",
                                "x-dead-letter-exchange", "",
                                "x-dead-letter-routing-key", "dead")))
                .isNull();
    }

    @Test
    void argumentsMeanWhatTheyMeanInRabbitMq() {
        QueueDefinition all = queue(
                "x-message-ttl",
                0,
                "x-expires",
                7L,
                "x-max-length",
                9,
                "x-max-priority",
                (short) 10,
                "x-delivery-limit",
                3,
                "x-dead-letter-exchange",
                "dlx");
        assertThat(all.ttlMillis()).isEqualTo(1);
        assertThat(all.expiresMillis()).isEqualTo(7);
        assertThat(all.boundsWaiting()).isTrue();
        assertThat(all.overflow()).isEqualTo(Overflow.DEAD_LETTER_OLDEST);
        assertThat(all.priorities()).isEqualTo(11);
        assertThat(all.deliveryLimit()).isEqualTo(4);
        assertThat(all.deadLetter()).isEqualTo(new DeadLetterTarget("dlx", null));
        assertThat(queue("x-max-length", 9).overflow()).isEqualTo(Overflow.DROP_OLDEST);
        assertThat(queue("x-max-length", 9, "x-overflow", "reject-publish-dlx", "x-dead-letter-exchange", "d")
                        .overflow())
                .isEqualTo(Overflow.DEAD_LETTER_NEWEST);
        QueueDefinition passing = (QueueDefinition) QueueArguments.definition(
                "q", VirtualHost.named("v"), new QueueArguments.Declared(false, true, true, table()));
        assertThat(passing.name()).isEqualTo("vhost:v:q");
        assertThat(passing.temporary()).isTrue();
        assertThat(passing.durability()).isEqualTo(Durability.TRANSIENT);
        StreamDefinition stream = (StreamDefinition)
                QueueArguments.definition("s", ROOT, durable("x-queue-type", "stream", "x-max-age", "2D"));
        assertThat(stream.retentionMillis()).isEqualTo(2L * 24 * 60 * 60 * 1000);
        assertThat(stream.partitions()).isEqualTo(1);
    }

    @Test
    void whatIsUnknownWrongOrContradictoryIsRefusedByName() {
        refused("invalid arg 'x-foo'", "x-foo", 1);
        refused("'x-message-ttl' for queue 'q' in vhost '/': {value_negative,-1}", "x-message-ttl", -1);
        refused("{unacceptable_type,longstr}", "x-max-length", "5");
        refused("{value_zero,0}", "x-expires", 0);
        refused("'x-overflow'", "x-overflow", "drop-tail");
        refused("routing_key_but_no_dlx_defined", "x-dead-letter-routing-key", "k");
        refused("rabbit_quorum_queue", "x-queue-type", "quorum", "x-max-priority", 5);
        refused("rabbit_stream_queue", "x-queue-type", "stream", "x-message-ttl", 5);
        refused("'x-overflow'", "x-queue-type", "quorum", "x-overflow", "reject-publish-dlx");
        refused("'x-max-age'", "x-queue-type", "stream", "x-max-age", "7d");
        refused("'x-queue-type'", "x-queue-type", "mirrored");
        refused("it must be 1 to 1", "x-queue-type", "quorum", "x-quorum-initial-group-size", 3);
        assertThatThrownBy(() -> QueueArguments.definition(
                        "q", ROOT, new QueueArguments.Declared(false, false, false, table("x-queue-type", "quorum"))))
                .hasMessageContaining("invalid property 'non-durable' for queue 'q'");
        assertThatThrownBy(() -> QueueArguments.definition(
                        "q", ROOT, new QueueArguments.Declared(true, false, true, table("x-queue-type", "stream"))))
                .hasMessageContaining("invalid property 'auto-delete' for queue 'q'");
    }

    private static ExchangeArguments.Declared exchange(String type, @Nullable Object... arguments) {
        return new ExchangeArguments.Declared(type, true, false, false, table(arguments));
    }

    @Test
    void anExchangeDeclaredAgainIsTheSame() {
        Property.forAll("exchange arguments", 1_000, gen -> {
            VirtualHost host = gen.choose(ROOT, VirtualHost.named("other"));
            Map<String, @Nullable Object> arguments = new LinkedHashMap<>();
            String type = gen.choose("direct", "fanout", "topic", "headers", "x-consistent-hash", "x-delayed-message");
            if (gen.flip()) {
                arguments.put("alternate-exchange", gen.word(1, 9));
            }
            if (type.equals("x-delayed-message")) {
                arguments.put("x-delayed-type", gen.choose("direct", "fanout", "topic", "headers"));
            }
            if (type.equals("x-consistent-hash") && gen.flip()) {
                arguments.put("hash-header", gen.text(1, 9));
            }
            ExchangeArguments.Declared declared =
                    new ExchangeArguments.Declared(type, gen.flip(), gen.flip(), gen.flip(), arguments);
            TopicDefinition definition = ExchangeArguments.definition("the exchange", host, declared);
            assertThat(ExchangeArguments.declared(definition, host)).isEqualTo(declared);
            assertThat(ExchangeArguments.difference("the exchange", host, definition, declared))
                    .isNull();
            assertThat(ExchangeArguments.delays(definition)).isEqualTo(type.equals("x-delayed-message"));
        });
    }

    @Test
    void exchangesThatDifferOrAreNotUnderstoodAreToldSo() {
        TopicDefinition there = ExchangeArguments.definition("e", ROOT, exchange("direct"));
        assertThat(there).isEqualTo(TopicDefinition.named("e", TopicDefinition.Routing.DIRECT));
        assertThat(ExchangeArguments.difference("e", ROOT, there, exchange("fanout")))
                .isEqualTo("inequivalent arg 'type' for exchange 'e' in vhost '/': received 'fanout' but current is"
                        + " 'direct'");
        assertThat(ExchangeArguments.difference("e", ROOT, there, exchange("direct", "alternate-exchange", "a")))
                .contains("received the value 'a' of type 'longstr' but current is none");
        assertThatThrownBy(() -> ExchangeArguments.definition("e", ROOT, exchange("x-random")))
                .isInstanceOfSatisfying(
                        AmqpException.class, e -> assertThat(e.code()).isEqualTo(ReplyCode.COMMAND_INVALID))
                .hasMessage("unknown exchange type 'x-random'");
        assertThatThrownBy(() -> ExchangeArguments.definition("e", ROOT, exchange("direct", "hash-header", "h")))
                .hasMessageContaining("invalid arg 'hash-header' for exchange 'e' in vhost '/'");
        assertThatThrownBy(() -> ExchangeArguments.definition("e", ROOT, exchange("x-delayed-message")))
                .hasMessageContaining("x-delayed-type");
        assertThatThrownBy(() -> ExchangeArguments.definition(
                        "e", ROOT, exchange("x-consistent-hash", "hash-header", "h", "hash-property", "message_id")))
                .hasMessageContaining("only one");
    }
}
