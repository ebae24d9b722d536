package dev.postroad.protocols.http;

import dev.postroad.engine.runtime.Connections;
import dev.postroad.engine.runtime.Connections.ChannelDetails;
import dev.postroad.engine.runtime.Connections.Counters;
import dev.postroad.engine.runtime.Connections.Details;
import dev.postroad.engine.runtime.Connections.Endpoint;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A connection of another protocol that is only there to be seen. */
final class TestConnection implements Connections.Connection {
    private final String name;
    volatile @Nullable String closedFor;

    private TestConnection(String name) {
        this.name = name;
    }

    static TestConnection enter(Connections connections, String name) {
        TestConnection connection = new TestConnection(name);
        connections.register(name, connection);
        return connection;
    }

    @Override
    public Details details() {
        return new Details(
                name,
                "AMQP 0-9-1",
                new Endpoint("127.0.0.1", 5000),
                new Endpoint("127.0.0.1", 5672),
                false,
                "guest",
                "PLAIN",
                "/",
                1,
                "running",
                Map.of("heartbeat", 60L),
                Map.of("product", "test"),
                10,
                20,
                List.of(new ChannelDetails(1, true, false, 10, 0, 0, 0, 0, List.of(), Counters.NONE)));
    }

    @Override
    public void close(String reason) {
        closedFor = reason;
    }
}
