package dev.postroad.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Redis as Debian packages it, as a process of its own on the loopback address, with its files in one folder. Every write is
 * synced, so that one started again on the same folder has what it had confirmed.
 */
public final class RedisServer implements AutoCloseable {
    private final ChildProcess server;
    private final int port = FreePort.find();

    private RedisServer(Path folder) {
        server = ChildProcess.command(
                        "redis-server",
                        "--port",
                        String.valueOf(port),
                        "--bind",
                        "127.0.0.1",
                        "--save",
                        "",
                        "--appendonly",
                        "yes",
                        "--appendfsync",
                        "always",
                        "--dir",
                        folder.toString(),
                        "--daemonize",
                        "no")
                .start();
    }

    /**
     * Starts it, and returns when it answers.
     *
     * @param folder exists; what it stored there before is there again
     */
    public static RedisServer start(Path folder) {
        RedisServer redis = new RedisServer(folder);
        try {
            Await.until("an answer of Redis", redis::answers);
        } catch (RuntimeException | Error e) {
            redis.close();
            throw e;
        }
        return redis;
    }

    private boolean answers() {
        if (!server.isAlive()) {
            throw new AssertionError("Redis ended (is it there? apt-get install redis-server): " + server.tail());
        }
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            return socket.getInputStream().read() == '+';
        } catch (IOException e) {
            return false;
        }
    }

    /** Where it listens, on 127.0.0.1. */
    public int port() {
        return port;
    }

    /** Ends it as a crash does. */
    public void kill() {
        server.kill();
    }

    @Override
    public void close() {
        server.close();
    }
}
