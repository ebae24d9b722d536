package dev.postroad.patterns.deadletters;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.api.Transport;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Makes dead letters, without a handler's words in the log. */
final class Letters {
    private Letters() {}

    static String text(Message<byte[], byte[]> message) {
        byte[] value = message.value();
        return value == null ? "" : new String(value, StandardCharsets.UTF_8);
    }

    static Message<byte[], byte[]> message(String key, String value) {
        return Message.<byte[], byte[]>of(key.getBytes(StandardCharsets.UTF_8), value.getBytes(StandardCharsets.UTF_8))
                .withId("id-" + value);
    }

    /** Sends these and gives all of them up; where order per key is kept, later ones of a key follow by themselves. */
    static void bury(Postroad postroad, Channel channel, List<Message<byte[], byte[]>> messages)
            throws InterruptedException {
        long already = count(postroad, channel.name() + ".dead");
        for (int from = 0; from < messages.size(); from += 5_000) {
            List<Message<byte[], byte[]>> some = messages.subList(from, Math.min(messages.size(), from + 5_000));
            postroad.transport().sendBatchAndWait(channel.name(), some);
        }
        try (Transport.Receiver receiver =
                postroad.transport().receive(List.of(channel.name()), ConsumerOptions.DEFAULT.withPrefetch(1_000))) {
            while (count(postroad, channel.name() + ".dead") < already + messages.size()) {
                List<CompletableFuture<Void>> settled = new ArrayList<>();
                for (Delivery<byte[], byte[]> delivery : receiver.receive(1_000, Duration.ofMillis(20))) {
                    settled.add(delivery.deadLetter(
                            "no use: " + text(delivery.message()), new IllegalStateException("no use")));
                }
                settled.forEach(CompletableFuture::join);
            }
        }
    }

    static long count(Postroad postroad, String channel) {
        return postroad.administration().channels().stream()
                .filter(status -> status.channel().name().equals(channel))
                .mapToLong(status -> status.ready() + status.inFlight() + status.delayed())
                .sum();
    }

    static DeadLetter told(Postroad postroad, String channel) {
        return DeadLetter.of(postroad.administration()
                        .browse(channel, null, 1)
                        .getFirst()
                        .message())
                .orElseThrow();
    }
}
