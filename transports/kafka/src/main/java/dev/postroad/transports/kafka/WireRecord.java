package dev.postroad.transports.kafka;

import dev.postroad.api.Message;
import java.util.Arrays;
import java.util.Iterator;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * A record that is sent, and its headers, in an array of as many as it has: most have one, and Kafka's own headers begin with room
 * for ten, which took a twentieth of the time of a send. For one thread at a time. Interceptors may add and remove headers.
 */
final class WireRecord extends ProducerRecord<byte[], byte[]> implements Headers {
    /** In the order in which they were added: the first of these, so many. */
    private Header[] all;

    private int count;

    /** @param partition null for Kafka's client to choose, by the key */
    WireRecord(String topic, @Nullable Integer partition, Message<byte[], byte[]> message) {
        super(topic, partition, Math.max(0, message.timestamp().toEpochMilli()), message.key(), message.value());
        // One more for the id.
        this.all = new Header[1 + message.headers().size()];
    }

    @Override
    public Headers headers() {
        return this;
    }

    private record Field(String key, byte[] value) implements Header {}

    @Override
    public Headers add(Header header) {
        if (count == all.length) {
            all = Arrays.copyOf(all, 2 * count);
        }
        all[count++] = header;
        return this;
    }

    @Override
    public Headers add(String key, byte[] value) {
        return add(new Field(key, value));
    }

    @Override
    public Headers remove(String key) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (!all[i].key().equals(key)) {
                all[kept++] = all[i];
            }
        }
        count = kept;
        return this;
    }

    @Override
    public @Nullable Header lastHeader(String key) {
        for (int i = count - 1; i >= 0; i--) {
            if (all[i].key().equals(key)) {
                return all[i];
            }
        }
        return null;
    }

    @Override
    public Iterable<Header> headers(String key) {
        return Arrays.stream(all, 0, count)
                .filter(header -> header.key().equals(key))
                .toList();
    }

    /** Kafka's client asks once and changes nothing. */
    @Override
    public Header[] toArray() {
        return count == all.length ? all : Arrays.copyOf(all, count);
    }

    @Override
    public Iterator<Header> iterator() {
        return Arrays.asList(toArray()).iterator();
    }

    /** Two are equal if they are the same: nobody compares what is sent. */
    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    @Override
    public String toString() {
        return "a record for " + topic() + " with " + count + " headers";
    }
}
