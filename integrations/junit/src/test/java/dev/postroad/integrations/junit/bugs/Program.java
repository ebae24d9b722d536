package dev.postroad.integrations.junit.bugs;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Subscription;
import dev.postroad.integrations.junit.TestBroker;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/** What the small programs share: strings as messages, and a service that fails each first time for some. */
final class Program {
    final TestBroker broker;
    final MessageProducer<String, String> producer;
    private final Set<String> failedOnce = ConcurrentHashMap.newKeySet();

    Program(TestBroker broker) {
        this.broker = broker;
        this.producer = broker.postroad().producer(Format.strings());
    }

    static List<String> orders() {
        return IntStream.rangeClosed(1, 12).mapToObj(i -> "order-" + i).toList();
    }

    void declare(Channel... channels) {
        broker.postroad().declare(channels);
    }

    Subscription listen(String channel, Handler<String, String> handler) {
        return broker.postroad().listen(channel, Format.strings(), ConsumerOptions.DEFAULT, handler);
    }

    /** Three orders in a row are of one customer; the service is away for one of them. */
    static Message<String, String> message(String id, String value) {
        return Message.<String, String>of("customer-" + Math.floorDiv(id.hashCode(), 3), value)
                .withId(id);
    }

    /** By a producer that starts again, with the same message, if it dies. */
    void send(String channel, Message<String, String> message) {
        while (!broker.run(() -> producer.send(channel, message))) {
            // it starts again
        }
    }

    void sendAll(String channel, List<String> orders) {
        orders.forEach(order -> send(channel, message(order, order)));
    }

    /** Another program's service, which is away for each third order at first. */
    void call(String order) {
        if (Math.floorMod(order.hashCode(), 3) == 0 && failedOnce.add(order)) {
            throw new IllegalStateException("the service is away");
        }
    }
}
