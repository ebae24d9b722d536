package dev.postroad.proof.process;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.impl.ForgivingExceptionHandler;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import javax.net.SocketFactory;

/** A consumer that asks for a thousand messages and reads none of them: its socket's buffers fill, and stay so until it is closed. */
final class StalledConsumer implements AutoCloseable {
    private static final int PREFETCH = 1_000;
    private static final int RECEIVE_BYTES = 4096;
    private static final int PATIENCE_MILLIS = 60_000;

    private final Socket socket;
    private final Runnable release;

    private StalledConsumer(Socket socket, Runnable release) {
        this.socket = socket;
        this.release = release;
    }

    /** One over HTTP. */
    static StalledConsumer overHttp(String authority, String channel) throws IOException {
        String[] address = authority.split(":", 2);
        Socket socket = new Socket();
        socket.setReceiveBufferSize(RECEIVE_BYTES);
        socket.connect(new InetSocketAddress(InetAddress.getByName(address[0]), Integer.parseInt(address[1])));
        String body = "{\"prefetch\":" + PREFETCH + "}";
        OutputStream out = socket.getOutputStream();
        out.write(("POST /api/v1/channels/" + channel + "/consume HTTP/1.1\r\nHost: " + authority
                        + "\r\nAccept: application/x-ndjson\r\nContent-Type: application/json\r\nContent-Length: "
                        + body.length() + "\r\n\r\n" + body)
                .getBytes(StandardCharsets.US_ASCII));
        out.flush();
        return new StalledConsumer(socket, () -> {});
    }

    /** One over AMQP, by RabbitMQ's client, which is kept from reading the moment it has asked. */
    static StalledConsumer overAmqp(int port, String queue) throws IOException {
        StallingSocket socket = new StallingSocket();
        socket.setReceiveBufferSize(RECEIVE_BYTES);
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(port);
        factory.setAutomaticRecoveryEnabled(false);
        factory.setRequestedHeartbeat(0);
        factory.setHandshakeTimeout(PATIENCE_MILLIS);
        factory.setConnectionTimeout(PATIENCE_MILLIS);
        factory.setChannelRpcTimeout(PATIENCE_MILLIS);
        factory.setSocketFactory(new SocketFactory() {
            @Override
            public Socket createSocket() {
                return socket;
            }

            @Override
            public Socket createSocket(String host, int to) {
                throw new UnsupportedOperationException("the client connects sockets itself");
            }

            @Override
            public Socket createSocket(String host, int to, InetAddress from, int local) {
                return createSocket(host, to);
            }

            @Override
            public Socket createSocket(InetAddress host, int to) {
                return createSocket("", to);
            }

            @Override
            public Socket createSocket(InetAddress host, int to, InetAddress from, int local) {
                return createSocket("", to);
            }
        });
        // That it breaks off at the end is meant.
        factory.setExceptionHandler(new ForgivingExceptionHandler() {
            @Override
            protected void log(String message, Throwable e) {}
        });
        try {
            Connection connection = factory.newConnection();
            com.rabbitmq.client.Channel channel = connection.createChannel();
            channel.basicQos(PREFETCH);
            socket.stall();
            // The answer is not awaited: it is never read.
            channel.asyncCompletableRpc(
                    new AMQP.Basic.Consume.Builder().queue(queue).build());
            return new StalledConsumer(socket, socket::release);
        } catch (TimeoutException e) {
            throw new IOException("no connection over AMQP", e);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
        release.run();
    }

    /** A socket that can be kept from reading. */
    private static final class StallingSocket extends Socket {
        private final CountDownLatch released = new CountDownLatch(1);
        private volatile boolean stalled;

        void stall() {
            stalled = true;
        }

        void release() {
            released.countDown();
        }

        @Override
        public InputStream getInputStream() throws IOException {
            return new FilterInputStream(super.getInputStream()) {
                @Override
                public int read() throws IOException {
                    pass();
                    return super.read();
                }

                @Override
                public int read(byte[] bytes, int offset, int length) throws IOException {
                    pass();
                    return super.read(bytes, offset, length);
                }
            };
        }

        private void pass() throws IOException {
            if (stalled) {
                try {
                    released.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IOException("interrupted", e);
                }
            }
        }
    }
}
