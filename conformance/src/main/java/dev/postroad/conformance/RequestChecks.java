package dev.postroad.conformance;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Durability;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Requests and their replies. */
final class RequestChecks {
    private static final Format<String, String> STRINGS = Format.strings();
    private static final int IN_FLIGHT = 100;

    private RequestChecks() {}

    static List<Check> all() {
        return List.of(
                Check.of(Need.REQUEST_REPLY, "each of many requests at once finds its reply", RequestChecks::many),
                Check.of(Need.REQUEST_REPLY, "a request that nobody answers fails in time", RequestChecks::timeout),
                Check.of(Need.REQUEST_REPLY, "a request past its deadline is not delivered", RequestChecks::expired)
                        .using(Need.TTL),
                Check.of(
                        Need.REQUEST_REPLY,
                        "a failure of the replier is told to the requester",
                        RequestChecks::failure));
    }

    private static Channel requests(Probe probe) {
        return probe.declare(Channel.request(probe.name())
                .withDurability(Durability.TRANSIENT)
                .withTtl(null)
                .withMaxMessages(null));
    }

    private static CompletableFuture<Message<String, String>> ask(
            Probe probe, Channel channel, String question, Duration time) {
        // Where messages can't expire in the broker this is still how long the requester waits.
        Message<String, String> message =
                Message.<String, String>of("k", question).withTtl(time);
        return probe.postroad().request(channel.name(), message, STRINGS, STRINGS);
    }

    private static void many(Probe probe) {
        Channel channel = requests(probe);
        probe.open(probe.postroad()
                .reply(
                        channel.name(),
                        ConsumerOptions.DEFAULT.withConcurrency(4),
                        STRINGS,
                        STRINGS,
                        request -> Message.of("re: " + request.value())));
        List<CompletableFuture<Message<String, String>>> replies = new ArrayList<>();
        for (int i = 0; i < IN_FLIGHT; i++) {
            replies.add(ask(probe, channel, "question " + i, probe.patience()));
        }
        for (int i = 0; i < IN_FLIGHT; i++) {
            Message<String, String> reply = probe.await(replies.get(i), "reply " + i);
            probe.equal("the reply", "re: question " + i, reply.value());
        }
    }

    private static void timeout(Probe probe) {
        Channel channel = requests(probe);
        CompletableFuture<Message<String, String>> reply = ask(probe, channel, "anybody?", Duration.ofMillis(50));
        probe.refusedLater("a request that nobody answers", () -> reply, Reason.TIMEOUT);
    }

    private static void expired(Probe probe) {
        Channel channel = requests(probe);
        CompletableFuture<Message<String, String>> late = ask(probe, channel, "too late", Duration.ofMillis(50));
        probe.refusedLater("a request that nobody answers", () -> late, Reason.TIMEOUT);
        // The broker's deadline runs from when it took the request, a little later than the requester's: no later than
        // this one.
        probe.send(channel, Message.<String, String>of("k", "too late, too").withTtl(Duration.ofMillis(50)));
        probe.awaitMoment(Instant.now().plusMillis(150));
        List<String> handled = new ArrayList<>();
        probe.open(probe.postroad().reply(channel.name(), ConsumerOptions.DEFAULT, STRINGS, STRINGS, request -> {
            synchronized (handled) {
                handled.add(String.valueOf(request.value()));
            }
            return Message.of("here");
        }));
        probe.await(ask(probe, channel, "in time", probe.patience()), "the reply");
        synchronized (handled) {
            probe.equal("the requests handled", List.of("in time"), handled);
        }
    }

    private static void failure(Probe probe) {
        Channel channel = requests(probe);
        probe.open(probe.postroad().reply(channel.name(), ConsumerOptions.DEFAULT, STRINGS, STRINGS, request -> {
            throw new IllegalStateException("a failure that the check plans");
        }));
        CompletableFuture<Message<String, String>> reply = ask(probe, channel, "well?", probe.patience());
        probe.refusedLater("a request whose handler fails", () -> reply, Reason.FAILED);
    }
}
