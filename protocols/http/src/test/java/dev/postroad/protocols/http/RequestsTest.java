package dev.postroad.protocols.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.protocols.http.Fixture.Answer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class RequestsTest {
    private static final String REQUESTS = "/api/v1/channels/questions/requests";

    private Fixture server;

    @BeforeEach
    void start() throws IOException {
        server = Fixture.inMemory(Fixture.SETTINGS.withMaxPendingRequests(20));
        server.declare("questions", "{\"kind\":\"request\",\"timeout\":\"30s\",\"ttl\":\"30s\"}");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Answer ask(String what, String... headers) {
        return server.send("POST", REQUESTS, "text/plain", what.getBytes(StandardCharsets.UTF_8), headers);
    }

    /** Answers one request: its value in capitals. */
    private void reply() {
        JsonNode request = server.receive("questions", "{\"max\":1,\"wait\":\"30s\",\"autoAcknowledge\":true}")
                .getFirst()
                .path("message");
        server.publish(
                        request.path("replyTo").stringValue(),
                        request.path("value").stringValue().toUpperCase(java.util.Locale.ROOT),
                        "Postroad-Correlation-Id",
                        request.path("correlationId").stringValue())
                .expect(200);
    }

    @Test
    void aRequestIsAcceptedAndItsReplyFetchedLater() {
        Answer accepted = ask("what time is it").expect(202);
        String status = accepted.response().headers().firstValue("location").orElseThrow();
        assertThat(accepted.json().path("state").stringValue()).isEqualTo("pending");
        assertThat(server.get(status).expect(200).json().path("state").stringValue())
                .isEqualTo("pending");
        reply();
        JsonNode replied = server.send("GET", status, "", new byte[0], "Prefer", "wait=30")
                .expect(200)
                .json();
        assertThat(replied.path("state").stringValue()).isEqualTo("replied");
        assertThat(replied.path("reply").path("value").stringValue()).isEqualTo("WHAT TIME IS IT");
        server.json("DELETE", status, "").expect(204);
        server.get(status).expect(404);
    }

    @Test
    void aClientThatPrefersToWaitGetsTheReplyItself() {
        CompletableFuture<Answer> answer =
                CompletableFuture.supplyAsync(() -> ask("hello", "Prefer", "wait=30"), Thread::startVirtualThread);
        reply();
        Answer replied = answer.join().expect(200);
        assertThat(replied.json().path("reply").path("value").stringValue()).isEqualTo("HELLO");
        assertThat(replied.response().headers().firstValue("preference-applied"))
                .hasValue("wait=30");
    }

    @Test
    void manyRequestsAtOnceEachGetTheirOwnReply() {
        List<CompletableFuture<Answer>> answers = new ArrayList<>();
        for (int i = 0; i < 15; i++) {
            String question = "q" + i;
            answers.add(CompletableFuture.supplyAsync(
                    () -> ask(question, "Prefer", "wait=30"), Thread::startVirtualThread));
        }
        for (int i = 0; i < 15; i++) {
            reply();
        }
        for (int i = 0; i < 15; i++) {
            assertThat(answers.get(i).join().json().path("reply").path("value").stringValue())
                    .isEqualTo("Q" + i);
        }
    }

    @Test
    void aRequestThatNobodyAnswersExpires() {
        Answer accepted = server.send(
                        "POST", REQUESTS + "?timeout=1ms", "text/plain", "x".getBytes(StandardCharsets.UTF_8))
                .expect(202);
        String status = accepted.response().headers().firstValue("location").orElseThrow();
        while (!server.get(status).json().path("state").stringValue().equals("expired")) {
            Thread.onSpinWait();
        }
        assertThat(server.receive("questions", "{}")).isEmpty();
    }

    @Test
    void moreRequestsThanAllowedAreRefused() {
        for (int i = 0; i < 20; i++) {
            ask("q" + i).expect(202);
        }
        Answer refused = ask("one too many").expect(503);
        assertThat(refused.detail()).contains("the limit is 20");
        assertThat(refused.response().headers().firstValue("retry-after")).hasValue("1");
    }
}
