package dev.postroad.benchmarks;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Exchanges, queues and bindings of the {@link NullBroker}: by exact key, or to all. */
final class NullRouting {
    /** A queue: its consumers in turn. What comes while there is none is dropped. */
    static final class Queue {
        private final List<NullConnection.Consumer> consumers = new ArrayList<>();
        private int next;

        void add(NullConnection.Consumer consumer) {
            consumers.add(consumer);
        }

        void remove(NullConnection connection) {
            consumers.removeIf(consumer -> consumer.connection() == connection);
        }

        int consumers() {
            return consumers.size();
        }

        NullConnection.Consumer next() {
            next = next + 1 < consumers.size() ? next + 1 : 0;
            return consumers.get(next);
        }
    }

    private final Map<String, Queue> queues = new HashMap<>();
    private final Map<String, Boolean> toAll = new HashMap<>();
    private final Map<String, Map<String, List<Queue>>> bindings = new HashMap<>();
    private int named;
    private int version = 1;

    /** Another one whenever messages may take another way. */
    int version() {
        return version;
    }

    void declareExchange(String name, String type) {
        toAll.put(name, type.equals("fanout"));
    }

    /** @return its name, made up if there was none */
    String declareQueue(String name) {
        version++;
        String real = name.isEmpty() ? "amq.gen-" + ++named : name;
        queues.computeIfAbsent(real, absent -> new Queue());
        return real;
    }

    Queue queue(String name) {
        return queues.computeIfAbsent(name, absent -> new Queue());
    }

    void bind(String exchange, String key, String queue) {
        version++;
        String bound = toAll.getOrDefault(exchange, false) ? "" : key;
        List<Queue> list = bindings.computeIfAbsent(exchange, absent -> new HashMap<>())
                .computeIfAbsent(bound, absent -> new ArrayList<>());
        if (!list.contains(queue(queue))) {
            list.add(queue(queue));
        }
    }

    List<Queue> route(String exchange, String key) {
        if (exchange.isEmpty()) {
            Queue queue = queues.get(key);
            return queue == null ? List.of() : List.of(queue);
        }
        return bindings.getOrDefault(exchange, Map.of())
                .getOrDefault(toAll.getOrDefault(exchange, false) ? "" : key, List.of());
    }

    void deleteQueue(String name) {
        version++;
        Queue gone = queues.remove(name);
        if (gone != null) {
            bindings.values().forEach(keys -> keys.values().forEach(list -> list.remove(gone)));
        }
    }

    void forget(NullConnection connection) {
        queues.values().forEach(queue -> queue.remove(connection));
    }
}
