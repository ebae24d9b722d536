package dev.postroad.engine.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.engine.runtime.Connections.Details;
import dev.postroad.engine.runtime.Connections.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConnectionsTest {
    private final Connections connections = new Connections();
    private final List<String> closed = new ArrayList<>();

    private Connections.Registration enter(String name, String user, long since) {
        return connections.register(name, new Connections.Connection() {
            @Override
            public Details details() {
                return new Details(
                        name,
                        "AMQP 0-9-1",
                        new Endpoint("127.0.0.1", 5000),
                        new Endpoint("::1", 5672),
                        false,
                        user,
                        "PLAIN",
                        "/",
                        since,
                        "running",
                        Map.of(),
                        Map.of(),
                        0,
                        0,
                        List.of());
            }

            @Override
            public void close(String reason) {
                closed.add(name + ": " + reason);
            }
        });
    }

    @Test
    void operators_see_connections_in_the_order_in_which_they_came() {
        enter("b", "alice", 2);
        Connections.Registration first = enter("a", "alice", 1);
        enter("c", "bob", 3);

        assertThat(connections.list()).extracting(Details::name).containsExactly("a", "b", "c");
        first.close();
        first.close();
        assertThat(connections.find("a")).isEmpty();
        assertThat(connections.find("b")).get().extracting(Details::server).hasToString("[::1]:5672");
        assertThat(connections.size()).isEqualTo(2);
    }

    @Test
    void operators_close_one_connection_or_all_of_a_user() {
        enter("a", "alice", 1);
        enter("b", "bob", 2);
        enter("c", "alice", 3);

        assertThat(connections.close("b", "why not")).isTrue();
        assertThat(connections.close("x", "why not")).isFalse();
        assertThat(connections.closeAllOf("alice", "deleted")).isEqualTo(2);
        assertThat(closed).containsExactlyInAnyOrder("b: why not", "a: deleted", "c: deleted");
    }

    @Test
    void a_name_is_taken_until_its_connection_ends() {
        Connections.Registration one = enter("a", "alice", 1);

        assertThatThrownBy(() -> enter("a", "bob", 2)).hasMessageContaining("'a'");
        one.close();
        enter("a", "bob", 2);
        one.close();
        assertThat(connections.find("a")).get().extracting(Details::user).isEqualTo("bob");
    }
}
