package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.Death;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Route;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The history of a dead letter, as RabbitMQ's clients read it. */
class DeadLetterHeadersTest {
    private static EngineMessage message(@Nullable Route route, List<Death> deaths) {
        return new EngineMessage(
                null, null, new byte[0], Map.of(), EngineMessage.Properties.NONE, 0, 0, 0, 0, route, deaths);
    }

    @Test
    void aMessageWithoutHistoryGetsNoHeaders() {
        Map<String, @Nullable Object> headers = new LinkedHashMap<>();
        DeadLetterHeaders.add(message(null, List.of()), VirtualHost.DEFAULT, headers);
        assertThat(headers).isEmpty();
    }

    @Test
    void theLatestStandsFirstAndTheFirstAndLastHaveHeadersOfTheirOwn() {
        Death expired = new Death(Death.Cause.EXPIRED, "vhost:v:wait", null, 3, 5_999, 9_000, 0, false);
        Death rejected = new Death(
                Death.Cause.REJECTED,
                "vhost:v:work",
                new Route("vhost:v:orders", List.of("eu", "copy", "blind"), 1),
                2,
                1_000,
                8_000,
                60_000,
                true);
        Map<String, @Nullable Object> headers = new LinkedHashMap<>();
        headers.put("CC", List.of("copy"));
        headers.put("x-death", "invented");
        headers.put("mine", 1);
        DeadLetterHeaders.add(
                message(Route.of("vhost:v:again", "k"), List.of(expired, rejected)), VirtualHost.named("v"), headers);
        assertThat(headers)
                .containsEntry("x-first-death-reason", "rejected")
                .containsEntry("x-first-death-queue", "work")
                .containsEntry("x-first-death-exchange", "orders")
                .containsEntry("x-last-death-reason", "expired")
                .containsEntry("x-last-death-queue", "wait")
                .containsEntry("x-last-death-exchange", "")
                .containsEntry("mine", 1)
                .doesNotContainKey("CC");
        Map<String, @Nullable Object> first = new LinkedHashMap<>();
        first.put("count", 3L);
        first.put("exchange", "");
        first.put("queue", "wait");
        first.put("reason", "expired");
        first.put("routing-keys", List.of("wait"));
        first.put("time", Instant.ofEpochSecond(5));
        Map<String, @Nullable Object> second = new LinkedHashMap<>();
        second.put("count", 2L);
        second.put("exchange", "orders");
        second.put("original-expiration", "60000");
        second.put("queue", "work");
        second.put("reason", "rejected");
        second.put("routing-keys", List.of("eu", "copy"));
        second.put("time", Instant.ofEpochSecond(1));
        assertThat(headers.get("x-death")).isEqualTo(List.of(first, second));
    }

    @Test
    void everyCauseHasItsWord() {
        assertThat(DeadLetterHeaders.reason(Death.Cause.OVERFLOW)).isEqualTo("maxlen");
        assertThat(DeadLetterHeaders.reason(Death.Cause.DELIVERY_LIMIT)).isEqualTo("delivery_limit");
        assertThat(DeadLetterHeaders.reason(Death.Cause.KEY_ORDER)).isEqualTo("rejected");
    }
}
