package dev.postroad.benchmarks;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Who can be measured on somebody else's broker. All take the same settings: {@link Terms}. */
enum TransportContender {
    POSTROAD_RABBITMQ(ContenderKind.POSTROAD, "Postroad, amqp://", System.RABBITMQ) {
        @Override
        Contender open(String place) {
            return new PostroadApi(
                    "amqp://guest:guest@" + place,
                    queue -> Channel.command(queue).withDeadLetter(null),
                    ConsumerOptions.DEFAULT.withPrefetch(Terms.PREFETCH));
        }
    },
    RAW_RABBITMQ(TransportContender.RAW, "RabbitMQ's client", System.RABBITMQ) {
        @Override
        Contender open(String place) throws Exception {
            return new RawRabbitMq(place);
        }
    },
    SPRING_RABBITMQ(TransportContender.SPRING, "Spring AMQP", System.RABBITMQ) {
        @Override
        Contender open(String place) {
            return new SpringRabbitMq(place);
        }
    },
    CAMEL_RABBITMQ(TransportContender.CAMEL, "Camel", System.RABBITMQ) {
        @Override
        Contender open(String place) throws Exception {
            return CamelContender.rabbitMq(place);
        }
    },
    POSTROAD_KAFKA(ContenderKind.POSTROAD, "Postroad, kafka://", System.KAFKA) {
        @Override
        Contender open(String place) {
            return new PostroadApi(
                    "kafka://" + place + "?durable=replicated",
                    queue -> Channel.event(queue).withPartitions(1).withDeadLetter(null),
                    ConsumerOptions.DEFAULT.withGroup(Terms.GROUP).withPrefetch(Terms.PREFETCH));
        }
    },
    RAW_KAFKA(TransportContender.RAW, "Kafka's client", System.KAFKA) {
        @Override
        Contender open(String place) {
            return new RawKafka(place);
        }
    },
    SPRING_KAFKA(TransportContender.SPRING, "Spring Kafka", System.KAFKA) {
        @Override
        Contender open(String place) {
            return new SpringKafka(place);
        }
    },
    CAMEL_KAFKA(TransportContender.CAMEL, "Camel", System.KAFKA) {
        @Override
        Contender open(String place) throws Exception {
            return CamelContender.kafka(place);
        }
    },
    POSTROAD_KEYS(ContenderKind.POSTROAD, "Postroad, a handler for each key", System.KAFKA_KEYS) {
        @Override
        Contender open(String place) {
            return new KeyedWork.OfPostroad("kafka://" + place + "?durable=replicated");
        }
    },
    RAW_KEYS(TransportContender.RAW, "Kafka's client, one at a time", System.KAFKA_KEYS) {
        @Override
        Contender open(String place) {
            return new KeyedWork.OfKafka(place);
        }
    };

    /** What is on the other side. */
    enum System {
        RABBITMQ,
        KAFKA,
        /** Kafka, and work that takes its time. */
        KAFKA_KEYS
    }

    static final String RAW = "raw";
    static final String SPRING = "spring";
    static final String CAMEL = "camel";

    private final String peer;
    private final String title;
    private final System system;

    TransportContender(String peer, String title, System system) {
        this.peer = peer;
        this.title = title;
        this.system = system;
    }

    /** @param place {@code HOST:PORT} of the broker */
    abstract Contender open(String place) throws Exception;

    String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The name by which {@code --peers} asks for it. */
    String peer() {
        return peer;
    }

    String title() {
        return title;
    }

    static List<TransportContender> on(System system) {
        return Arrays.stream(values())
                .filter(contender -> contender.system == system)
                .toList();
    }

    static Optional<TransportContender> find(String id) {
        return Arrays.stream(values())
                .filter(contender -> contender.id().equals(id))
                .findFirst();
    }

    static List<String> peers() {
        return List.of(RAW, SPRING, CAMEL);
    }
}
