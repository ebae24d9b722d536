package dev.postroad.protocols.amqp091;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;

/** Passes bytes on between a client and a server until it freezes: then nothing is read and nobody is told. */
final class FrozenProxy implements AutoCloseable {
    private final ServerSocket listener;
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean frozen;
    private volatile Socket near;
    private volatile Socket far;

    FrozenProxy(int target) throws IOException {
        listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(() -> {
            try {
                near = listener.accept();
                far = new Socket(InetAddress.getLoopbackAddress(), target);
                pass(near.getInputStream(), far.getOutputStream());
                pass(far.getInputStream(), near.getOutputStream());
            } catch (IOException e) {
                frozen = true;
            }
        });
    }

    private void pass(InputStream in, OutputStream out) {
        Thread.ofVirtual().start(() -> {
            byte[] buffer = new byte[8192];
            try {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    if (frozen) {
                        ended.await();
                        return;
                    }
                    out.write(buffer, 0, n);
                    out.flush();
                }
            } catch (IOException | InterruptedException e) {
                frozen = true;
            }
        });
    }

    int port() {
        return listener.getLocalPort();
    }

    void freeze() {
        frozen = true;
    }

    @Override
    public void close() throws IOException {
        ended.countDown();
        listener.close();
        if (near != null) {
            near.close();
        }
        if (far != null) {
            far.close();
        }
    }
}
