package dev.postroad.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.LongConsumer;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.Message;
import org.apache.activemq.artemis.api.core.QueueConfiguration;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.TransportConfiguration;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientConsumer;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientProducer;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.core.client.ClientSessionFactory;
import org.apache.activemq.artemis.api.core.client.SendAcknowledgementHandler;
import org.apache.activemq.artemis.api.core.client.ServerLocator;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.remoting.impl.invm.InVMConnectorFactory;
import org.apache.activemq.artemis.core.server.JournalType;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;

/**
 * ActiveMQ Artemis in this process, reached in memory, with a durable journal that is forced before a send is confirmed. Its
 * timed buffer is set as found best: see docs/benchmarks.md.
 */
final class ArtemisBroker implements Contender {
    /** What was found best of 20, 100, 400 and 3,333 microseconds (the default) for many senders and for windows. */
    static final int BUFFER_TIMEOUT_NANOS = 200_000;

    private static final int CONFIRMATION_WINDOW_BYTES = 32 << 20;
    private static final int CONSUMER_WINDOW_BYTES = 8 << 20;
    private static final int ACKNOWLEDGE_BATCH_BYTES = 256 << 10;

    private final EmbeddedActiveMQ broker = new EmbeddedActiveMQ();
    private final TransportConfiguration inMemory = new TransportConfiguration(InVMConnectorFactory.class.getName());

    /** @param bufferTimeoutNanos of the journal's timed buffer; 0 for no such buffer */
    ArtemisBroker(Path directory, int bufferTimeoutNanos) throws Exception {
        Configuration configuration = new ConfigurationImpl()
                .setSecurityEnabled(false)
                .setPersistenceEnabled(true)
                .setJMXManagementEnabled(false)
                .setJournalType(JournalType.NIO)
                .setJournalSyncTransactional(true)
                .setJournalSyncNonTransactional(true)
                .setJournalBufferTimeout_NIO(bufferTimeoutNanos)
                .setJournalDirectory(directory.resolve("journal").toString())
                .setBindingsDirectory(directory.resolve("bindings").toString())
                .setPagingDirectory(directory.resolve("paging").toString())
                .setLargeMessagesDirectory(directory.resolve("large").toString())
                .setJournalFileSize(64 << 20)
                .setJournalMinFiles(4)
                .setJournalPoolFiles(16)
                .setGlobalMaxSize(Runtime.getRuntime().maxMemory() * 3 / 4)
                .setMaxDiskUsage(99)
                .addAcceptorConfiguration("in-vm", "vm://0")
                .addAddressSetting(
                        "#", new AddressSettings().setAutoDeleteQueues(false).setAutoDeleteAddresses(false));
        broker.setConfiguration(configuration);
        broker.start();
    }

    private ServerLocator locator() {
        return ActiveMQClient.createServerLocatorWithoutHA(inMemory)
                .setProducerWindowSize(-1)
                .setConsumerWindowSize(CONSUMER_WINDOW_BYTES)
                .setAckBatchSize(ACKNOWLEDGE_BATCH_BYTES)
                .setBlockOnAcknowledge(false)
                .setUseGlobalPools(true);
    }

    @Override
    public void declareQueue(String queue) throws Exception {
        ServerLocator locator = locator();
        ClientSessionFactory factory = locator.createSessionFactory();
        ClientSession session = factory.createSession();
        try {
            if (!session.queueQuery(org.apache.activemq.artemis.api.core.SimpleString.of(queue))
                    .isExists()) {
                session.createQueue(QueueConfiguration.of(queue)
                        .setAddress(queue)
                        .setRoutingType(RoutingType.ANYCAST)
                        .setDurable(true));
            }
        } finally {
            end(session, factory, locator);
        }
    }

    @Override
    public Sender sender(String queue, Sending sending) throws Exception {
        boolean blocking = sending == Sending.BLOCKING;
        ServerLocator locator = locator().setBlockOnDurableSend(blocking);
        if (!blocking) {
            locator.setConfirmationWindowSize(CONFIRMATION_WINDOW_BYTES);
        }
        ClientSessionFactory factory = locator.createSessionFactory();
        ClientSession session = factory.createSession(true, true);
        ClientProducer producer = session.createProducer(queue);
        return new Sender() {
            @Override
            public void send(byte[] payload) throws ActiveMQException {
                producer.send(message(payload));
            }

            @Override
            public void send(byte[] payload, Confirmation confirmation) throws ActiveMQException {
                producer.send(message(payload), new Confirms(confirmation));
            }

            private ClientMessage message(byte[] payload) {
                ClientMessage message = session.createMessage(true);
                message.getBodyBuffer().writeBytes(payload);
                return message;
            }

            @Override
            public void close() throws IOException {
                end(session, factory, locator);
            }
        };
    }

    private record Confirms(Confirmation confirmation) implements SendAcknowledgementHandler {
        @Override
        public void sendAcknowledged(Message message) {
            confirmation.confirmed();
        }

        @Override
        public void sendFailed(Message message, Exception cause) {
            confirmation.failed(cause);
        }
    }

    @Override
    public Closeable receive(String queue, LongConsumer arrivals) throws Exception {
        ServerLocator locator = locator();
        ClientSessionFactory factory = locator.createSessionFactory();
        ClientSession session = factory.createSession(true, true, ACKNOWLEDGE_BATCH_BYTES);
        ClientConsumer consumer = session.createConsumer(queue);
        byte[] head = new byte[Long.BYTES];
        consumer.setMessageHandler(message -> {
            message.getBodyBuffer().readBytes(head);
            arrivals.accept(Payloads.sentAt(head));
            acknowledge(message);
        });
        session.start();
        return () -> {
            end(session, factory, locator);
        };
    }

    private static void end(ClientSession session, ClientSessionFactory factory, ServerLocator locator)
            throws IOException {
        try {
            session.close();
        } catch (ActiveMQException e) {
            throw new IOException("a session of Artemis did not close", e);
        } finally {
            factory.close();
            locator.close();
        }
    }

    private static void acknowledge(ClientMessage message) {
        try {
            message.acknowledge();
        } catch (ActiveMQException e) {
            throw new IllegalStateException("Artemis did not take an acknowledgement", e);
        }
    }

    @Override
    public Log log(String name, int batch) {
        throw Contender.cannot("logs");
    }

    @Override
    public void close() throws IOException {
        try {
            broker.stop();
        } catch (Exception e) {
            throw new IOException("Artemis did not stop", e);
        }
    }
}
