package dev.postroad.benchmarks;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What a worker is to do, and the line that says so: {@code blocking orders bytes=100 senders=16 warm=500 millis=2000}.
 *
 * @param channel the queue or log it is about
 * @param numbers arguments by name
 */
record Order(Kind kind, String channel, Map<String, Integer> numbers) {

    enum Kind {
        /** Threads that wait for each confirmation: bytes, senders, warm, millis. */
        BLOCKING,
        /** One sender ahead of its confirmations: bytes, window, consume (1 or 0), warm, millis. */
        WINDOWED,
        /** One thread appends, one reads: bytes, batch, window, pace (a second; 0 for none), spin, warm, millis. */
        LOG,
        /** So many messages into a queue: bytes, messages. */
        FILL,
        /** The first message out of a queue. */
        FIRST,
        /** All messages out of a queue: messages. */
        DRAIN,
        /** So many messages out of a queue, from the first on: messages. */
        RECEIVE,
        /** The heap in use. */
        HEAP
    }

    Order(Kind kind, String channel) {
        this(kind, channel, new LinkedHashMap<>());
    }

    Order with(String name, int number) {
        Map<String, Integer> more = new LinkedHashMap<>(numbers);
        more.put(name, number);
        return new Order(kind, channel, more);
    }

    /** @throws IllegalArgumentException if the order does not say */
    int get(String name) {
        Integer number = numbers.get(name);
        if (number == null) {
            throw new IllegalArgumentException("the order '" + line() + "' does not say " + name);
        }
        return number;
    }

    String line() {
        StringBuilder line = new StringBuilder(kind.name().toLowerCase(Locale.ROOT))
                .append(' ')
                .append(channel);
        numbers.forEach(
                (name, number) -> line.append(' ').append(name).append('=').append(number));
        return line.toString();
    }

    static Order parse(String line) {
        String[] words = line.split(" ");
        Order order = new Order(Kind.valueOf(words[0].toUpperCase(Locale.ROOT)), words[1]);
        for (int i = 2; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            order = order.with(words[i].substring(0, equals), Integer.parseInt(words[i].substring(equals + 1)));
        }
        return order;
    }
}
