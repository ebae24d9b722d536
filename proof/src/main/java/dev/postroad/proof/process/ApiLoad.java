package dev.postroad.proof.process;

import dev.postroad.api.Administration.ChannelStatus;
import dev.postroad.api.Administration.GroupStatus;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.api.Receipt;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Transaction;
import dev.postroad.api.Transport;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** By the contract: over HTTP, or with the broker in this process. */
final class ApiLoad implements Load {
    private static final String GROUP = "checker";

    private final Transport transport;
    private final Channel channel;

    ApiLoad(Postroad postroad, Channel channel) {
        this.transport = postroad.transport();
        this.channel = channel;
    }

    /** A queue in which keys keep their order, repetitions are dropped, and nothing is ever given up. */
    static Channel queue(String name) {
        return Channel.command(name)
                .withOrderedByKey(true)
                .withDedupWindow(Duration.ofHours(12))
                .withRetry(new RetryPolicy(1_000_000, Duration.ZERO, Duration.ZERO, 1, 0))
                .withDeadLetter(null)
                .withPrefetch(1_000);
    }

    /** A stream of four partitions in which repetitions are dropped. */
    static Channel stream(String name) {
        return Channel.event(name)
                .withDedupWindow(Duration.ofHours(12))
                .withRetry(new RetryPolicy(1_000_000, Duration.ZERO, Duration.ZERO, 1, 0))
                .withDeadLetter(null)
                .withPrefetch(1_000);
    }

    @Override
    public void declare() {
        transport.declare(channel);
    }

    private static Message<byte[], byte[]> message(Sending sending) {
        return Message.of(("k" + sending.key()).getBytes(StandardCharsets.US_ASCII), sending.payload())
                .withId(sending.id());
    }

    @Override
    public CompletableFuture<Place> send(Sending sending) {
        return told(transport.send(channel.name(), message(sending)).thenApply(ApiLoad::place));
    }

    private static Place place(Receipt receipt) {
        return new Place(receipt.partition(), receipt.offset());
    }

    @Override
    public boolean batches() {
        return true;
    }

    @Override
    public CompletableFuture<Void> sendBatch(List<Sending> messages) {
        return told(transport
                .sendBatch(
                        channel.name(), messages.stream().map(ApiLoad::message).toList())
                .thenApply(receipts -> null));
    }

    @Override
    public boolean transacts() {
        return true;
    }

    @Override
    public void sendTogether(Map<String, Sending> messages) {
        try (Transaction<byte[], byte[]> transaction = transport.begin()) {
            messages.forEach((name, sending) -> transaction.send(name, message(sending)));
            transaction.commit();
        } catch (MessagingException e) {
            if (refusedOrUnknown(e) instanceof Refused refused) {
                throw refused;
            }
            throw e;
        }
    }

    private static <T> CompletableFuture<T> told(CompletableFuture<T> outcome) {
        return outcome.exceptionallyCompose(failure -> CompletableFuture.failedFuture(refusedOrUnknown(failure)));
    }

    /** The contract names the reasons that leave the outcome open; with all others the message is not stored. */
    private static Throwable refusedOrUnknown(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (!(cause instanceof MessagingException said)) {
            return cause;
        }
        return switch (said.reason()) {
            case TIMEOUT, CLOSED, STORAGE_FAILED, FAILED -> said;
            default -> new Refused(said.reason() + ": " + said.getMessage(), said);
        };
    }

    @Override
    public Receiver receiver() {
        ConsumerOptions options = ConsumerOptions.DEFAULT;
        return new ApiReceiver(transport.receive(
                List.of(channel.name()), channel.kind().isStream() ? options.withGroup(GROUP) : options));
    }

    @Override
    public long left() {
        if (channel.kind().isStream()) {
            for (GroupStatus group : transport.administration().groups(channel.name())) {
                if (group.group().equals(GROUP)) {
                    return group.lag();
                }
            }
            return -1;
        }
        for (ChannelStatus status : transport.administration().channels()) {
            if (status.channel().name().equals(channel.name())) {
                return status.ready() + status.inFlight() + status.delayed();
            }
        }
        return -1;
    }

    @Override
    public void close() {
        transport.close();
    }

    private record ApiReceiver(Transport.Receiver receiver) implements Receiver {
        @Override
        public List<Taken> receive(int max, Duration wait) throws InterruptedException {
            List<Taken> taken = new ArrayList<>();
            for (Delivery<byte[], byte[]> delivery : receiver.receive(max, wait)) {
                byte[] value = delivery.message().value();
                taken.add(new Taken(
                        delivery.attempt(),
                        new Place(
                                delivery.origin().partition(), delivery.origin().offset()),
                        value == null ? new byte[0] : value,
                        delivery));
            }
            return taken;
        }

        @SuppressWarnings("unchecked")
        private static Delivery<byte[], byte[]> delivery(Taken taken) {
            return (Delivery<byte[], byte[]>) taken.handle();
        }

        @Override
        public CompletableFuture<Void> acknowledge(List<Taken> taken) {
            return receiver.acknowledge(
                    taken.stream().map(ApiReceiver::delivery).toList());
        }

        @Override
        public void giveBack(List<Taken> taken) {
            taken.forEach(each -> delivery(each).retry());
        }

        @Override
        public boolean settles() {
            return true;
        }

        @Override
        public void close() {
            receiver.close();
        }
    }
}
