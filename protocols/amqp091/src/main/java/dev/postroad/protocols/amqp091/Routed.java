package dev.postroad.protocols.amqp091;

import dev.postroad.engine.EngineDelivery;

/** The exchange and the routing key that a delivery tells its consumer. */
final class Routed {
    private Routed() {}

    static String exchange(EngineDelivery delivery, VirtualHost host) {
        return "";
    }

    /** @param queue the queue's name, which is the routing key of what came by the default exchange */
    static String routingKey(EngineDelivery delivery, String queue) {
        return queue;
    }
}
