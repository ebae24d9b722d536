package dev.postroad.transports.embedded;

import dev.postroad.api.Channel;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Sends for ever, in a process of its own: one at a time, in batches, and many at once. Appends the ids of what was confirmed to
 * a file, a line each; what was written there outlives the process.
 */
final class SendingProgram {
    private final MessageProducer<String, String> producer;
    private final String run;
    private final FileOutputStream confirmed;

    private SendingProgram(MessageProducer<String, String> producer, String run, FileOutputStream confirmed) {
        this.producer = producer;
        this.run = run;
        this.confirmed = confirmed;
    }

    /** Arguments: a url, the name of this run, and the file. */
    public static void main(String[] arguments) throws IOException {
        String url = arguments[0];
        try (FileOutputStream confirmed = new FileOutputStream(arguments[2], true);
                Postroad postroad = Postroad.connect(url)) {
            postroad.declare(Channel.command("orders").withDedupWindow(Duration.ofHours(1)), Channel.event("events"));
            MessageProducer<String, String> producer = postroad.producer(Format.strings());
            SendingProgram program = new SendingProgram(producer, arguments[1], confirmed);
            System.out.println("sending");
            Thread.ofPlatform().start(program::many);
            Thread.ofPlatform().start(program::batches);
            program.oneByOne();
        }
    }

    private void oneByOne() {
        for (int i = 0; ; i++) {
            String id = run + "-one-" + i;
            producer.send("orders", message(id, "one"));
            confirmed(List.of(id));
        }
    }

    private void many() {
        for (int i = 0; ; i++) {
            String id = run + "-many-" + i;
            producer.sendAsync("events", message(id, "k" + i % 7)).thenRun(() -> confirmed(List.of(id)));
        }
    }

    private void batches() {
        for (int i = 0; ; i++) {
            List<Message<String, String>> batch = new ArrayList<>();
            List<String> ids = new ArrayList<>();
            for (int j = 0; j < 10; j++) {
                String id = run + "-batch-" + i + "-" + j;
                ids.add(id);
                batch.add(message(id, "batch"));
            }
            producer.sendBatch("orders", batch);
            confirmed(ids);
        }
    }

    private static Message<String, String> message(String id, String key) {
        return Message.of(key, "value of " + id).withId(id);
    }

    private void confirmed(List<String> ids) {
        StringBuilder lines = new StringBuilder();
        ids.forEach(id -> lines.append(id).append('\n'));
        try {
            confirmed.write(lines.toString().getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
