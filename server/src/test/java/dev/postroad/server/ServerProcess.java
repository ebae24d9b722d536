package dev.postroad.server;

import java.io.IOException;
import java.nio.file.Path;

/** A server as a process of its own, for tests that kill it. Ends when its input does. */
final class ServerProcess {
    private ServerProcess() {}

    public static void main(String[] arguments) throws IOException {
        PostroadServer server = PostroadServer.start(
                ServerSettings.DEFAULT.withData(Path.of(arguments[0])).withHttpPort(Integer.parseInt(arguments[1])));
        System.out.println("ready http=" + server.httpAuthority());
        while (System.in.read() >= 0) {
            // The test ends it by closing its input, or kills it.
        }
        server.close();
    }
}
