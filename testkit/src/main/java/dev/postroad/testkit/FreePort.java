package dev.postroad.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Finds a TCP port on the loopback address that nobody listens on.
 *
 * <p>Another process may take the port before it is used; prefer binding port 0 and reading the port from what was
 * started, where it can be read.
 */
public final class FreePort {
    private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

    private FreePort() {}

    /** A port that is free now, and that this method has not given out before in this JVM. */
    public static int find() {
        for (int attempt = 0; attempt < 1_000; attempt++) {
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                int port = socket.getLocalPort();
                if (GIVEN.add(port)) {
                    return port;
                }
            } catch (IOException e) {
                throw new UncheckedIOException("cannot bind any port on the loopback address", e);
            }
        }
        throw new IllegalStateException("no free port left that was not given out before; given: " + GIVEN.size());
    }
}
