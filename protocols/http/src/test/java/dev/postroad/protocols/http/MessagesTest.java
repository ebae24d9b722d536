package dev.postroad.protocols.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.Command;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.NoValue;
import dev.postroad.engine.Reply;
import dev.postroad.protocols.http.Fixture.Answer;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class MessagesTest {
    private static final String ENVELOPE = "application/vnd.postroad.message+json";

    private Fixture server;

    @BeforeEach
    void start() throws IOException {
        server = Fixture.inMemory();
        server.declare("orders", "{\"kind\":\"command\",\"priorities\":10}");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private JsonNode one(String wish) {
        List<JsonNode> deliveries = server.receive("orders", wish);
        assertThat(deliveries).hasSize(1);
        return deliveries.getFirst();
    }

    @Test
    void aRawBodyComesBackWithWhatItsHeadersSaid() {
        server.publish(
                        "orders",
                        "three books",
                        "Postroad-Key",
                        "customer-7",
                        "Postroad-Id",
                        "m1",
                        "Postroad-Type",
                        "OrderCreated",
                        "Postroad-Priority",
                        "3",
                        "Postroad-Ttl",
                        "5m",
                        "Postroad-Correlation-Id",
                        "c",
                        "Postroad-Reply-To",
                        "replies",
                        "Postroad-Header-Region",
                        "EU",
                        "Postroad-Timestamp",
                        "2026-11-21T10:00:00.123Z")
                .expect(200);
        JsonNode message = one("{}").path("message");
        assertThat(message.path("value").stringValue()).isEqualTo("three books");
        assertThat(message.path("key").stringValue()).isEqualTo("customer-7");
        assertThat(message.path("id").stringValue()).isEqualTo("m1");
        assertThat(message.path("type").stringValue()).isEqualTo("OrderCreated");
        assertThat(message.path("priority").intValue()).isEqualTo(3);
        assertThat(message.path("ttl").stringValue()).isEqualTo("300000ms");
        assertThat(message.path("correlationId").stringValue()).isEqualTo("c");
        assertThat(message.path("replyTo").stringValue()).isEqualTo("replies");
        assertThat(message.path("contentType").stringValue()).isEqualTo("text/plain");
        assertThat(message.path("timestamp").stringValue()).isEqualTo("2026-11-21T10:00:00.123Z");
        assertThat(message.path("headers").path("region").stringValue()).isEqualTo("EU");
    }

    @Test
    void bytesThatAreNoTextComeBackAsTheyWere() {
        byte[] bytes = new byte[256];
        for (int i = 0; i < 256; i++) {
            bytes[i] = (byte) i;
        }
        server.send("POST", "/api/v1/channels/orders/messages", "application/octet-stream", bytes)
                .expect(200);
        String value = one("{}").path("message").path("valueBase64").stringValue();
        assertThat(Base64.getDecoder().decode(value)).isEqualTo(bytes);
    }

    @Test
    void anEnvelopeKeepsTypesOfHeadersTombstonesAndAllOfUnicode() {
        String envelope =
                "{\"key\":\"k\\u0000\\ud83d\\ude00\",\"value\":null,\"headers\":{\"n\":9007199254740993,\"d\":0.1,\"b\":true,"
                        + "\"bin\":{\"base64\":\"AP8=\"},\"none\":null,\"nested\":{\"a\":[1,{\"b\":null}]},\"ü\":\"日本\"}}";
        server.send("POST", "/api/v1/channels/orders/messages", ENVELOPE, envelope.getBytes(StandardCharsets.UTF_8))
                .expect(200);
        JsonNode message = one("{}").path("message");
        assertThat(message.path("key").stringValue()).isEqualTo("k\0😀");
        assertThat(message.has("value")).isTrue();
        assertThat(message.path("value").isNull()).isTrue();
        JsonNode headers = message.path("headers");
        assertThat(headers.path("n").longValue()).isEqualTo(9007199254740993L);
        assertThat(headers.path("d").doubleValue()).isEqualTo(0.1);
        assertThat(headers.path("b").booleanValue()).isTrue();
        assertThat(headers.path("bin").path("base64").stringValue()).isEqualTo("AP8=");
        assertThat(headers.path("ü").stringValue()).isEqualTo("日本");
        assertThat(headers.get("none").isNull()).isTrue();
        assertThat(headers.path("nested").toString()).isEqualTo("{\"a\":[1,{\"b\":null}]}");
    }

    @Test
    void headersThatOtherProtocolsKnowAreShownAsTheNearestThatJsonHas() {
        Map<String, Object> headers = new LinkedHashMap<>();
        headers.put("byte", (byte) -1);
        headers.put("float", 0.5f);
        headers.put("nan", Float.NaN);
        headers.put("decimal", new BigDecimal("12345678901234567890.10"));
        headers.put("at", Instant.ofEpochSecond(1));
        headers.put("list", List.of(new byte[] {-1}, NoValue.NONE));
        EngineMessage message = EngineMessage.of(new byte[0]).withHeaders(headers);
        server.broker.await((Reply<Command.Published> reply) ->
                new Command.Publish(null, "orders", List.of(message), null, false, null, reply));
        String shown = one("{}").path("message").path("headers").toString();
        assertThat(shown)
                .contains("\"byte\":-1")
                .contains("\"float\":0.5")
                .contains("\"nan\":\"NaN\"")
                .contains("\"at\":\"1970-01-01T00:00:01Z\"")
                .contains("\"list\":[{\"base64\":\"/w==\"},null]");
    }

    @Test
    void cloudEventsAreUnderstoodInBothModes() {
        server.send(
                        "POST",
                        "/api/v1/channels/orders/messages",
                        "application/cloudevents+json",
                        ("{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/shop\",\"type\":\"OrderCreated\","
                                        + "\"partitionkey\":\"k\",\"subject\":\"s\",\"data\":{\"amount\":5}}")
                                .getBytes(StandardCharsets.UTF_8))
                .expect(200);
        server.send(
                        "POST",
                        "/api/v1/channels/orders/messages",
                        "application/json",
                        "{\"amount\":6}".getBytes(StandardCharsets.UTF_8),
                        "ce-id",
                        "e2",
                        "ce-source",
                        "/shop",
                        "ce-type",
                        "OrderCreated",
                        "ce-specversion",
                        "1.0",
                        "ce-subject",
                        "s")
                .expect(200);
        server.send(
                        "POST",
                        "/api/v1/channels/orders/messages",
                        "application/cloudevents+json",
                        "{\"specversion\":\"0.3\",\"id\":\"e1\",\"source\":\"/shop\",\"type\":\"x\"}"
                                .getBytes(StandardCharsets.UTF_8))
                .expect(400);
        List<JsonNode> deliveries = server.receive("orders", "{\"max\":10}");
        assertThat(deliveries).hasSize(2);
        for (JsonNode delivery : deliveries) {
            JsonNode message = delivery.path("message");
            assertThat(message.path("type").stringValue()).isEqualTo("OrderCreated");
            assertThat(message.path("source").stringValue()).isEqualTo("/shop");
            assertThat(message.path("contentType").stringValue()).isEqualTo("application/json");
            assertThat(message.path("headers").path("subject").stringValue()).isEqualTo("s");
        }
        assertThat(deliveries.get(0).path("message").path("value").stringValue())
                .isEqualTo("{\"amount\":5}");
        assertThat(deliveries.get(0).path("message").path("key").stringValue()).isEqualTo("k");
    }

    @Test
    void aBatchOfLinesIsStoredWholeOrNotAtAll() {
        Answer answer = server.lines("orders", "{\"value\":\"1\"}", "", "{\"json\":[2]}", "{\"value\":3}");
        answer.expect(400);
        assertThat(answer.detail()).contains("line 4: value").contains("must be a string");
        assertThat(server.receive("orders", "{}")).isEmpty();
        answer = server.lines("orders", "{\"value\":\"1\",\"id\":\"a\"}", "{\"value\":\"2\",\"id\":\"b\"}")
                .expect(200);
        assertThat(answer.json().path("receipts").get(1).path("id").stringValue())
                .isEqualTo("b");
        assertThat(server.receive("orders", "{}")).hasSize(2);
    }

    @Test
    void linesThatAreNotAtomicHaveEachTheirOwnOutcome() {
        server.declare("small", "{\"kind\":\"command\",\"maxMessageBytes\":4,\"dedupWindow\":\"1h\"}");
        JsonNode receipts = server.send(
                        "POST",
                        "/api/v1/channels/small/messages?atomic=false",
                        "application/x-ndjson",
                        "{\"id\":\"a\",\"value\":\"1\"}\n{\"id\":\"b\",\"value\":\"12345\"}\n{\"id\":\"a\",\"value\":\"1\"}"
                                .getBytes(StandardCharsets.UTF_8))
                .expect(200)
                .json()
                .path("receipts");
        assertThat(receipts.get(0).path("duplicate").booleanValue(true)).isFalse();
        assertThat(receipts.get(1).path("problem").path("reason").stringValue()).isEqualTo("TOO_LARGE");
        assertThat(receipts.get(1).path("problem").path("detail").stringValue())
                .contains("limit of channel 'small' is 4");
        assertThat(receipts.get(2).path("duplicate").booleanValue(false)).isTrue();
    }

    @Test
    void aLongPollAnswersWhenAMessageComes() {
        CompletableFuture<List<JsonNode>> poll =
                CompletableFuture.supplyAsync(() -> server.receive("orders", "{\"wait\":\"30s\"}"));
        server.publish("orders", "x").expect(200);
        assertThat(poll.join()).hasSize(1);
    }

    @Test
    void whatIsAcknowledgedIsGoneAndCanNotBeAcknowledgedAgain() {
        server.publish("orders", "x").expect(200);
        String delivery = one("{}").path("delivery").stringValue();
        server.acknowledge("orders", delivery).expect(200);
        Answer again = server.acknowledge("orders", delivery).expect(409);
        assertThat(again.json().path("reason").stringValue()).isEqualTo("NOT_DELIVERED");
        assertThat(again.json().path("lost").get(0).stringValue()).isEqualTo(delivery);
        assertThat(server.receive("orders", "{}")).isEmpty();
    }

    @Test
    void whatIsReleasedComesAgainWithTheNextAttemptAndTheOldNameIsWorthNothing() {
        server.publish("orders", "x").expect(200);
        String first = one("{}").path("delivery").stringValue();
        server.settle("orders", "{\"delivery\":\"" + first + "\",\"outcome\":\"release\",\"delay\":\"1ms\"}")
                .expect(200);
        JsonNode second = one("{\"wait\":\"10s\"}");
        assertThat(second.path("attempt").intValue()).isEqualTo(2);
        server.acknowledge("orders", first).expect(409);
        server.acknowledge("orders", second.path("delivery").stringValue()).expect(200);
    }

    @Test
    void aLeaseThatRanOutGivesTheMessageToSomebodyElse() {
        server.publish("orders", "x").expect(200);
        String first = one("{\"lease\":\"50ms\"}").path("delivery").stringValue();
        JsonNode second = one("{\"wait\":\"10s\"}");
        assertThat(second.path("attempt").intValue()).isEqualTo(2);
        server.acknowledge("orders", first).expect(409);
        server.settle(
                        "orders",
                        "{\"delivery\":\"" + second.path("delivery").stringValue()
                                + "\",\"outcome\":\"extend\",\"lease\":\"1m\"}")
                .expect(200);
        server.acknowledge("orders", second.path("delivery").stringValue()).expect(200);
    }

    @Test
    void deadLettersTellWhyAndGoBackWhereTheyCameFrom() {
        server.publish("orders", "poison", "Postroad-Id", "p").expect(200);
        String delivery = one("{}").path("delivery").stringValue();
        server.settle(
                        "orders",
                        "{\"delivery\":\"" + delivery
                                + "\",\"outcome\":\"deadLetter\",\"reason\":\"no such customer\"}")
                .expect(200);
        JsonNode dead = server.get("/api/v1/dead-letters")
                .expect(200)
                .json()
                .path("deadLetters")
                .get(0);
        assertThat(dead.path("channel").stringValue()).isEqualTo("orders.dead");
        assertThat(dead.path("messages").intValue()).isEqualTo(1);
        JsonNode shown = server.get("/api/v1/channels/orders.dead/messages/p")
                .expect(200)
                .json();
        assertThat(shown.path("message")
                        .path("headers")
                        .path("postroad-dead-letter-reason")
                        .stringValue())
                .isEqualTo("no such customer");
        server.post("/api/v1/channels/orders.dead/redrive", "{}").expect(200);
        assertThat(one("{}").path("message").path("value").stringValue()).isEqualTo("poison");
    }

    @Test
    void aFilteredReceiverLeavesTheRestToOthers() {
        server.publish("orders", "a", "Postroad-Header-Region", "EU").expect(200);
        server.publish("orders", "b", "Postroad-Header-Region", "US").expect(200);
        assertThat(one("{\"filter\":\"region == 'US'\"}")
                        .path("message")
                        .path("value")
                        .stringValue())
                .isEqualTo("b");
        assertThat(one("{}").path("message").path("value").stringValue()).isEqualTo("a");
        Answer wrong = server.post("/api/v1/channels/orders/receive", "{\"filter\":\"region => 5\"}")
                .expect(400);
        assertThat(wrong.detail()).contains("did you mean");
    }

    @Test
    void deliveriesThatAcknowledgeThemselvesNeedNoSettling() {
        server.publish("orders", "x").expect(200);
        JsonNode delivery = one("{\"autoAcknowledge\":true}");
        assertThat(delivery.has("delivery")).isFalse();
        assertThat(server.get("/api/v1/channels/orders")
                        .json()
                        .path("counters")
                        .path("acknowledged")
                        .intValue())
                .isEqualTo(1);
    }

    @Test
    void groupsOfAStreamEachGetEverything() {
        server.declare("events", "{\"kind\":\"event\"}");
        for (int i = 0; i < 10; i++) {
            server.publish("events", "e" + i, "Postroad-Key", "k" + i).expect(200);
        }
        for (String group : List.of("billing", "audit")) {
            List<JsonNode> deliveries =
                    server.receive("events", "{\"max\":100,\"group\":\"" + group + "\",\"wait\":\"10s\"}");
            assertThat(deliveries).hasSize(10);
            assertThat(deliveries.getFirst().has("offset")).isTrue();
        }
        JsonNode groups = server.get("/api/v1/channels/events/groups").json().path("groups");
        assertThat(groups.size()).isEqualTo(2);
        assertThat(groups.get(0).path("lag").intValue()).isEqualTo(10);
        assertThat(server.post("/api/v1/channels/events/receive", "{}")
                        .expect(400)
                        .detail())
                .contains("give a 'group'");
    }

    @Test
    void aPartitionIsReadByOffsetAndByTime() {
        server.declare("events", "{\"kind\":\"event\",\"partitions\":1}");
        for (int i = 0; i < 5; i++) {
            server.publish("events", "e" + i).expect(200);
        }
        String path = "/api/v1/streams/events/partitions/0/messages";
        JsonNode page = server.get(path + "?offset=2&max=2").expect(200).json();
        assertThat(page.path("next").intValue()).isEqualTo(5);
        assertThat(page.path("nextFetch").intValue()).isEqualTo(4);
        assertThat(page.path("messages").get(0).path("message").path("value").stringValue())
                .isEqualTo("e2");
        assertThat(server.get(path + "?timestamp=2020-01-01T00:00:00Z")
                        .json()
                        .path("messages")
                        .size())
                .isEqualTo(5);
        assertThat(server.get(path + "?offset=latest").json().path("messages").size())
                .isZero();
        CompletableFuture<Answer> waiting =
                CompletableFuture.supplyAsync(() -> server.get(path + "?offset=latest&wait=30s"));
        while (!waiting.isDone()) {
            server.publish("events", "later").expect(200);
        }
        assertThat(waiting.join()
                        .json()
                        .path("messages")
                        .get(0)
                        .path("message")
                        .path("value")
                        .stringValue())
                .isEqualTo("later");
    }

    @Test
    void eventsOfAStreamAreFollowedAndGoOnBehindTheLastOneSeen() throws Exception {
        server.declare("events", "{\"kind\":\"event\",\"partitions\":2}");
        for (int i = 0; i < 6; i++) {
            server.publish("events", "e" + i, "Postroad-Key", "k" + i).expect(200);
        }
        List<String> ids = new ArrayList<>();
        List<String> seen = new ArrayList<>();
        read(server.stream("GET", "/api/v1/channels/events/events?from=earliest", ""), 3, ids, seen);
        read(server.stream("GET", "/api/v1/channels/events/events", "", "Last-Event-ID", ids.getLast()), 3, ids, seen);
        assertThat(seen).containsExactlyInAnyOrder("e0", "e1", "e2", "e3", "e4", "e5");
    }

    private static void read(Stream<String> lines, int count, List<String> ids, List<String> seen) {
        try (lines) {
            Iterator<String> each = lines.iterator();
            int found = 0;
            while (found < count) {
                String line = each.next();
                if (line.startsWith("id: ")) {
                    ids.add(line.substring(4));
                } else if (line.startsWith("data: ")) {
                    found++;
                    seen.add(Fixture.JSON
                            .readTree(line.substring(6))
                            .path("message")
                            .path("value")
                            .stringValue());
                }
            }
        }
    }

    @Test
    void aStreamOfDeliveriesGivesBackWhatWasNotSettledWhenItEnds() throws Exception {
        for (int i = 0; i < 10; i++) {
            server.publish("orders", "m" + i).expect(200);
        }
        String consumer;
        try (Stream<String> lines = server.stream("POST", "/api/v1/channels/orders/consume", "{\"prefetch\":5}")) {
            Iterator<String> each = lines.iterator();
            consumer = Fixture.JSON.readTree(each.next()).path("consumer").stringValue();
            List<String> deliveries = new ArrayList<>();
            while (deliveries.size() < 8) {
                String line = each.next();
                if (!line.isEmpty()) {
                    String delivery =
                            Fixture.JSON.readTree(line).path("delivery").stringValue();
                    deliveries.add(delivery);
                    if (deliveries.size() <= 3) {
                        server.acknowledge("orders", delivery).expect(200);
                    }
                }
            }
            assertThat(server.get("/api/v1/channels/orders")
                            .json()
                            .path("inFlight")
                            .intValue())
                    .isEqualTo(5);
            server.json("DELETE", "/api/v1/consumers/" + consumer, "").expect(204);
        }
        assertThat(server.receive("orders", "{\"max\":100}")).hasSize(7);
        server.json("DELETE", "/api/v1/consumers/" + consumer, "").expect(404);
    }

    @Test
    void aClientThatIsGoneLosesItsDeliveriesToOthers() throws Exception {
        server.publish("orders", "x").expect(200);
        try (Stream<String> lines = server.stream("POST", "/api/v1/channels/orders/consume", "{}")) {
            Iterator<String> each = lines.iterator();
            each.next();
            assertThat(each.next()).contains("delivery");
        }
        assertThat(server.receive("orders", "{\"wait\":\"30s\"}")).hasSize(1);
    }

    @Test
    void aTransactionTakesEffectWholeOrNotAtAll() {
        server.declare("shipments", "{\"kind\":\"command\"}");
        server.publish("orders", "x").expect(200);
        String delivery = one("{}").path("delivery").stringValue();
        String publishes = "\"publishes\":[{\"channel\":\"shipments\",\"message\":{\"value\":\"ship\"}}]";
        server.post("/api/v1/transactions", "{" + publishes + ",\"acknowledge\":[\"" + delivery + "\"]}")
                .expect(200);
        assertThat(server.receive("shipments", "{}")).hasSize(1);
        server.post("/api/v1/transactions", "{" + publishes + ",\"acknowledge\":[\"" + delivery + "\"]}")
                .expect(409);
        assertThat(server.receive("shipments", "{}")).isEmpty();
        server.post("/api/v1/transactions", "{}").expect(400);
    }

    @Test
    void aDelayedMessageCanBeCancelled() {
        server.publish("orders", "later", "Postroad-Delay", "1h", "Postroad-Id", "d1")
                .expect(200);
        JsonNode browsed = server.get("/api/v1/channels/orders/messages")
                .json()
                .path("messages")
                .get(0);
        assertThat(browsed.path("state").stringValue()).isEqualTo("delayed");
        assertThat(browsed.has("notBefore")).isTrue();
        server.json("DELETE", "/api/v1/channels/orders/messages/d1", "").expect(200);
        server.json("DELETE", "/api/v1/channels/orders/messages/d1", "").expect(404);
    }

    @Test
    void topicsRouteByPatternHeaderAndRule() {
        server.json("PUT", "/api/v1/topics/shop", "{\"routing\":\"pattern\"}").expect(201);
        server.json("PUT", "/api/v1/topics/shop", "{\"routing\":\"pattern\"}").expect(200);
        server.post("/api/v1/topics/shop/bindings", "{\"channel\":\"orders\",\"pattern\":\"eu.#\"}")
                .expect(201);
        Answer routed = server.send(
                "POST",
                "/api/v1/topics/shop/messages?routingKey=eu.de",
                "text/plain",
                "x".getBytes(StandardCharsets.UTF_8));
        assertThat(routed.expect(200).json().path("routed").intValue()).isEqualTo(1);
        server.send(
                        "POST",
                        "/api/v1/topics/shop/messages?routingKey=us&mandatory=true",
                        "text/plain",
                        "x".getBytes(StandardCharsets.UTF_8))
                .expect(422);
        assertThat(server.get("/api/v1/topics/shop")
                        .json()
                        .path("bindings")
                        .get(0)
                        .path("pattern")
                        .stringValue())
                .isEqualTo("eu.#");
        server.post("/api/v1/topics/shop/bindings/remove", "{\"channel\":\"orders\",\"pattern\":\"eu.#\"}")
                .expect(204);
        server.post("/api/v1/topics/shop/bindings/remove", "{\"channel\":\"orders\",\"pattern\":\"eu.#\"}")
                .expect(404);
        server.json("DELETE", "/api/v1/topics/shop", "").expect(204);
        server.get("/api/v1/topics/shop").expect(404);
    }

    @Test
    void messagesAreMovedAndPurged() {
        server.declare("other", "{\"kind\":\"command\"}");
        for (int i = 0; i < 4; i++) {
            server.publish("orders", "m" + i).expect(200);
        }
        assertThat(server.post("/api/v1/channels/orders/move", "{\"to\":\"other\",\"max\":3}")
                        .json()
                        .path("messages")
                        .intValue())
                .isEqualTo(3);
        assertThat(server.json("DELETE", "/api/v1/channels/other/messages", "")
                        .json()
                        .path("messages")
                        .intValue())
                .isEqualTo(3);
        assertThat(server.get("/api/v1/channels/orders").json().path("ready").intValue())
                .isEqualTo(1);
    }

    @Test
    void offsetsOfAGroupAreStoredAndRead() {
        server.declare("events", "{\"kind\":\"event\"}");
        server.json(
                        "PUT",
                        "/api/v1/groups/readers/offsets",
                        "{\"positions\":[{\"channel\":\"events\",\"partition\":1,\"offset\":0}]}")
                .expect(204);
        JsonNode position = server.get("/api/v1/groups/readers/offsets")
                .json()
                .path("positions")
                .get(0);
        assertThat(position.path("channel").stringValue()).isEqualTo("events");
        assertThat(position.path("partition").intValue()).isEqualTo(1);
        server.json("DELETE", "/api/v1/groups/readers", "").expect(204);
    }
}
