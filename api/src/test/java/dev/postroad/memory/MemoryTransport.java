package dev.postroad.memory;

import dev.postroad.api.Administration;
import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Receipt;
import dev.postroad.api.Transaction;
import dev.postroad.api.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** A connection to a {@link MemoryBroker}. */
public final class MemoryTransport implements Transport {
    private final MemoryBroker broker;
    private final Set<MemoryReceiver> receivers = ConcurrentHashMap.newKeySet();
    private final List<Runnable> held = new ArrayList<>();
    private boolean holding;
    private volatile boolean closed;

    MemoryTransport(MemoryBroker broker) {
        this.broker = broker;
    }

    /** What carries the messages. */
    public MemoryBroker broker() {
        return broker;
    }

    /** From now on sends are confirmed when {@link #releaseConfirms} is called. */
    public void holdConfirms() {
        broker.locked(() -> holding = true);
    }

    /** Confirms what was held, and all that follows at once. */
    public void releaseConfirms() {
        List<Runnable> released = new ArrayList<>();
        broker.locked(() -> {
            holding = false;
            released.addAll(held);
            held.clear();
        });
        released.forEach(Runnable::run);
    }

    @Override
    public String url() {
        return "test:memory";
    }

    @Override
    public Map<Need, Capability> capabilities() {
        return broker.capabilities();
    }

    @Override
    public void declare(Channel channel) {
        broker.locked(() -> {
            requireOpen();
            broker.declare(channel);
        });
    }

    @Override
    public Optional<Channel> find(String channel) {
        List<Channel> found = new ArrayList<>();
        broker.locked(() -> {
            requireOpen();
            Stored stored = broker.channels.get(channel);
            if (stored != null) {
                found.add(stored.channel);
            }
        });
        if (found.isEmpty() && broker.bugs.contains(Bug.TAKES_UNKNOWN_CHANNELS)) {
            return Optional.of(Channel.command(channel));
        }
        return found.stream().findFirst();
    }

    @Override
    public CompletableFuture<Receipt> send(String channel, Message<byte[], byte[]> message) {
        return sendBatch(channel, List.of(message)).thenApply(List::getFirst);
    }

    @Override
    public CompletableFuture<List<Receipt>> sendBatch(String channel, List<Message<byte[], byte[]>> messages) {
        CompletableFuture<List<Receipt>> future = new CompletableFuture<>();
        List<Receipt> receipts = new ArrayList<>();
        try {
            broker.locked(() -> {
                requireOpen();
                if (!broker.bugs.contains(Bug.STORES_HALF_A_BATCH) && broker.channels.containsKey(channel)) {
                    messages.forEach(message -> broker.checkSize(broker.stored(channel).channel, message));
                }
                messages.forEach(message -> receipts.add(broker.send(channel, message)));
            });
        } catch (MessagingException e) {
            future.completeExceptionally(e);
            return future;
        }
        confirm(() -> future.complete(receipts));
        return future;
    }

    private void confirm(Runnable confirmation) {
        boolean[] now = new boolean[1];
        broker.locked(() -> {
            now[0] = !holding;
            if (holding) {
                held.add(confirmation);
            }
        });
        if (now[0]) {
            confirmation.run();
        }
    }

    @Override
    public Receiver receive(List<String> channels, ConsumerOptions options) {
        List<MemoryReceiver> opened = new ArrayList<>();
        broker.locked(() -> {
            requireOpen();
            List<Line> lines = new ArrayList<>();
            for (String channel : channels) {
                Line line = broker.line(broker.stored(channel), options);
                boolean taken = options.exclusive()
                        ? !line.receivers.isEmpty()
                        : line.receivers.stream().anyMatch(other -> other.options.exclusive());
                if (taken) {
                    throw new MessagingException(Reason.IN_USE, "channel '" + channel + "' is consumed exclusively");
                }
                lines.add(line);
            }
            MemoryReceiver[] self = new MemoryReceiver[1];
            self[0] = new MemoryReceiver(broker, lines, options, () -> receivers.remove(self[0]));
            receivers.add(self[0]);
            opened.add(self[0]);
        });
        return opened.getFirst();
    }

    @Override
    public Transaction<byte[], byte[]> begin() {
        if (broker.impossible(Need.TRANSACTIONS) && !broker.bugs.contains(Bug.DENIES_WHAT_IT_DOES)) {
            throw new MessagingException(Reason.IMPOSSIBLE_NEED, "no transactions here");
        }
        return new MemoryTransaction(broker);
    }

    @Override
    public Administration administration() {
        return new MemoryAdministration(broker);
    }

    private void requireOpen() {
        if (closed) {
            throw new MessagingException(Reason.CLOSED, "the connection is closed");
        }
    }

    @Override
    public void close() {
        releaseConfirms();
        List.copyOf(receivers).forEach(MemoryReceiver::close);
        broker.locked(() -> {
            closed = true;
            if (broker.bugs.contains(Bug.FORGETS_ON_REOPEN)) {
                broker.channels.clear();
            }
            broker.changed.signalAll();
        });
    }
}
