package dev.postroad.proof.process;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Passes bytes on between clients and a server, and resets all connections once so many bytes have gone through it. */
final class CuttingProxy implements AutoCloseable {
    private final ServerSocket listening;
    private final int serverPort;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong passed = new AtomicLong();
    private volatile long cutAt = Long.MAX_VALUE;

    CuttingProxy(int serverPort) throws IOException {
        this.serverPort = serverPort;
        this.listening = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().name("proxy").start(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    /** Bytes that have gone through since {@link #cutAfter}, in both directions. */
    long passed() {
        return passed.get();
    }

    /** Cuts, once, behind byte number {@code bytes} from now on; those up to it are passed on. */
    void cutAfter(long bytes) {
        passed.set(0);
        cutAt = bytes;
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
                open.add(client);
                open.add(server);
                Thread.ofVirtual().start(() -> pass(client, server));
                Thread.ofVirtual().start(() -> pass(server, client));
            } catch (IOException e) {
                if (!listening.isClosed()) {
                    continue; // the server is not there: the client sees its connection end
                }
            }
        }
    }

    private void pass(Socket from, Socket to) {
        byte[] buffer = new byte[8192];
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                long before = passed.getAndAdd(length);
                long cut = cutAt;
                if (before + length >= cut) {
                    out.write(buffer, 0, (int) Math.max(0, Math.min(length, cut - before)));
                    out.flush();
                    cutAt = Long.MAX_VALUE;
                    reset();
                    return;
                }
                out.write(buffer, 0, length);
            }
        } catch (IOException e) {
            // One side is gone; the other follows.
            return;
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }

    /** Ends all connections with a reset instead of an orderly end. */
    private void reset() {
        for (Socket socket : open) {
            try {
                socket.setSoLinger(true, 0);
                socket.close();
            } catch (IOException e) {
                // Its other side was faster and has ended it: there is nothing left to reset.
                continue;
            }
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
