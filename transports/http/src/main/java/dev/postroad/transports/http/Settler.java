package dev.postroad.transports.http;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.io.ByteArrayOutputStream;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** Settles the deliveries of one channel: what comes while a request is under way goes together in the next. */
final class Settler {
    private static final int MAX_SETTLEMENTS = 2_000;
    private static final int BYTES_EACH = 64;

    private final Http http;
    private final String channel;
    private final Batches<Settlement> batches;

    /**
     * @param deliveries all with the same outcome
     * @param outcome null for acknowledge; else the members of a settlement beside the delivery's name
     */
    private record Settlement(
            List<String> deliveries, @Nullable Outcome outcome, CompletableFuture<Void> done) implements Batches.Item {
        @Override
        public int bytes() {
            return BYTES_EACH * deliveries.size();
        }
    }

    /** What becomes of a delivery: a word of the server's, one member more (text, or a flag), and the class of what was thrown. */
    record Outcome(
            String word,
            String member,
            Object value,
            @Nullable String exception) {}

    Settler(Http http, String channel) {
        this.http = http;
        this.channel = channel;
        this.batches = new Batches<>(
                MAX_SETTLEMENTS, (long) MAX_SETTLEMENTS * BYTES_EACH, 1_000_000L * BYTES_EACH, this::carry);
    }

    CompletableFuture<Void> settle(List<String> deliveries, @Nullable Outcome outcome) {
        Settlement settlement = new Settlement(deliveries, outcome, new CompletableFuture<>());
        batches.add(settlement);
        return settlement.done;
    }

    @SuppressWarnings("NullAway") // the one value of Void
    private void carry(List<Settlement> batch) {
        try {
            http.post(Http.channel(channel) + "/settle", body(batch), Http.JSON);
            batch.forEach(settlement -> settlement.done.complete(null));
        } catch (MessagingException e) {
            if (e.reason() == Reason.LEASE_LOST && e.getCause() instanceof HttpProblem problem) {
                Set<String> lost = new HashSet<>(problem.lost());
                batch.forEach(settlement -> complete(settlement, lost, e));
            } else {
                batch.forEach(settlement -> settlement.done.completeExceptionally(e));
            }
        } catch (RuntimeException e) {
            MessagingException failed = new MessagingException(
                    Reason.FAILED,
                    "settling deliveries of channel '" + channel + "' failed; the outcome is unknown",
                    e);
            batch.forEach(settlement -> settlement.done.completeExceptionally(failed));
        }
    }

    @SuppressWarnings("NullAway") // the one value of Void
    private void complete(Settlement settlement, Set<String> lost, MessagingException cause) {
        long gone = settlement.deliveries.stream().filter(lost::contains).count();
        if (gone == 0) {
            settlement.done.complete(null);
        } else {
            settlement.done.completeExceptionally(new MessagingException(
                    Reason.LEASE_LOST,
                    (settlement.deliveries.size() == 1
                                    ? "the delivery of channel '" + channel + "' is"
                                    : gone + " of " + settlement.deliveries.size() + " deliveries of channel '"
                                            + channel + "' are")
                            + " no longer this consumer's: the lease ran out, or the connection broke, and the message went"
                            + " back",
                    cause));
        }
    }

    private static byte[] body(List<Settlement> batch) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(BYTES_EACH * batch.size());
        try (JsonGenerator json = Http.MAPPER.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeArrayPropertyStart("acknowledge");
            for (Settlement settlement : batch) {
                if (settlement.outcome == null) {
                    settlement.deliveries.forEach(json::writeString);
                }
            }
            json.writeEndArray();
            json.writeArrayPropertyStart("settlements");
            for (Settlement settlement : batch) {
                Outcome outcome = settlement.outcome;
                if (outcome != null) {
                    for (String delivery : settlement.deliveries) {
                        json.writeStartObject();
                        json.writeStringProperty("delivery", delivery);
                        json.writeStringProperty("outcome", outcome.word);
                        if (outcome.value instanceof Boolean flag) {
                            json.writeBooleanProperty(outcome.member, flag);
                        } else {
                            json.writeStringProperty(outcome.member, outcome.value.toString());
                        }
                        if (outcome.exception != null) {
                            json.writeStringProperty("exception", outcome.exception);
                        }
                        json.writeEndObject();
                    }
                }
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        return bytes.toByteArray();
    }

    /** Waits until what was settled is answered, or the time is over. */
    void drain(long millis) {
        batches.drain(millis);
    }
}
