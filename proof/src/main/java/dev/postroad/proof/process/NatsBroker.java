package dev.postroad.proof.process;

import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.FreePort;
import io.nats.client.Connection;
import io.nats.client.ErrorListener;
import io.nats.client.JetStream;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamSubscription;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.PullSubscribeOptions;
import io.nats.client.api.AckPolicy;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.DeliverPolicy;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** NATS JetStream as Debian packages it: a stream in files, published to with acknowledgements, read from its beginning. */
record NatsBroker() implements Broker {
    private static final Duration START = Duration.ofSeconds(60);

    @Override
    public String name() {
        return "NATS JetStream, file storage";
    }

    @Override
    public @Nullable String missing() {
        return Machine.has("nats-server") ? null : "NATS is not installed (apt-get install nats-server)";
    }

    @Override
    public Running start(Path data) {
        int port = FreePort.find();
        ChildProcess process = ChildProcess.command(
                        "nats-server", "-a", "127.0.0.1", "-p", Integer.toString(port), "-js", "-sd", data.toString())
                .start();
        boolean ready = false;
        try {
            Await.until("NATS accepts on port " + port, START, () -> {
                if (!process.isAlive()) {
                    throw new AssertionError("NATS ended: " + process.tail());
                }
                try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                    return socket.isConnected();
                } catch (IOException e) {
                    return false;
                }
            });
            ready = true;
            return new PeerProcess(process, lane -> new Client(port, lane.channel()));
        } finally {
            if (!ready) {
                process.close();
            }
        }
    }

    private static final class Client implements Load {
        private final Connection connection;
        private final JetStream stream;
        private final String subject;

        /** Its client leaves some without an end when the connection has broken. */
        private final Set<CompletableFuture<Place>> open = ConcurrentHashMap.newKeySet();

        Client(int port, String subject) {
            this.subject = subject;
            try {
                connection = Nats.connect(new Options.Builder()
                        .server("nats://127.0.0.1:" + port)
                        .noReconnect()
                        .errorListener(new ErrorListener() {}) // that connections break is what this is about
                        .build());
                stream = connection.jetStream();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void declare() {
            try {
                connection
                        .jetStreamManagement()
                        .addStream(StreamConfiguration.builder()
                                .name(subject)
                                .subjects(subject)
                                .storageType(StorageType.File)
                                .build());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (JetStreamApiException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public CompletableFuture<Place> send(Sending message) {
            CompletableFuture<Place> outcome =
                    stream.publishAsync(subject, message.payload()).thenApply(told -> Place.NONE);
            open.add(outcome);
            outcome.whenComplete((place, failure) -> open.remove(outcome));
            return outcome;
        }

        @Override
        public boolean transacts() {
            return false;
        }

        @Override
        public void sendTogether(Map<String, Sending> messages) {
            throw new UnsupportedOperationException("no transactions here");
        }

        @Override
        public boolean batches() {
            return false;
        }

        @Override
        public CompletableFuture<Void> sendBatch(List<Sending> messages) {
            throw new UnsupportedOperationException("NATS stores no batches");
        }

        @Override
        public Receiver receiver() {
            try {
                ConsumerConfiguration all = ConsumerConfiguration.builder()
                        .ackPolicy(AckPolicy.None)
                        .deliverPolicy(DeliverPolicy.All)
                        .build();
                return new Reading(stream.subscribe(
                        subject,
                        PullSubscribeOptions.builder().configuration(all).build()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (JetStreamApiException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public long left() {
            return -1;
        }

        @Override
        public void close() {
            try {
                connection.close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            open.forEach(
                    outcome -> outcome.completeExceptionally(new IllegalStateException("the connection is closed")));
        }
    }

    private record Reading(JetStreamSubscription subscription) implements Load.Receiver {
        @Override
        public List<Load.Taken> receive(int max, Duration wait) {
            List<Load.Taken> taken = new ArrayList<>();
            for (Message message : subscription.fetch(max, wait)) {
                taken.add(new Load.Taken(0, Load.Place.NONE, message.getData(), message));
            }
            if (taken.isEmpty() && !subscription.isActive()) {
                throw new IllegalStateException("the subscription is over");
            }
            return taken;
        }

        @Override
        public CompletableFuture<Void> acknowledge(List<Load.Taken> taken) {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void giveBack(List<Load.Taken> taken) {
            // It is read and not consumed: it stays.
            return;
        }

        @Override
        public boolean settles() {
            return false;
        }

        @Override
        public void close() {
            if (subscription.isActive()) {
                subscription.unsubscribe();
            }
        }
    }
}
