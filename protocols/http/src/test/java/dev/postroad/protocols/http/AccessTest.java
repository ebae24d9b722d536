package dev.postroad.protocols.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.security.Authenticator;
import dev.postroad.security.Secret;
import dev.postroad.security.User;
import dev.postroad.security.UsersFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccessTest {
    @TempDir
    Path folder;

    private static String basic(String name, String password) {
        return "Basic " + Base64.getEncoder().encodeToString((name + ":" + password).getBytes(StandardCharsets.UTF_8));
    }

    private HttpAccess users(Mount... mounts) {
        UsersFile file = UsersFile.at(folder.resolve("users")).withIterations(1_000);
        file.add("alice", Set.of(User.MONITORING), Secret.of("wonderland"));
        return new HttpAccess(Authenticator.users(file, false), null, List.of(mounts), HttpAccess.Names.PLAIN);
    }

    private static Mount echo() {
        return new Mount(
                "/api",
                request -> new Mount.Answer(
                        request.method().equals("DELETE") ? 204 : 200,
                        request.method().equals("DELETE") ? "" : "text/plain",
                        (request.method() + " " + request.path() + " ? " + request.query() + " by "
                                        + request.user().name() + ": "
                                        + new String(request.body(), StandardCharsets.UTF_8))
                                .getBytes(StandardCharsets.UTF_8),
                        Map.of("Postroad-Test", "yes")));
    }

    @Test
    void with_users_everything_but_health_needs_a_login() throws IOException {
        try (Fixture server = Fixture.inMemory(users())) {
            Fixture.Answer refused = server.send("GET", "/api/v1/channels", "", new byte[0]);

            refused.expect(401);
            assertThat(refused.response().headers().firstValue("WWW-Authenticate"))
                    .hasValueSatisfying(challenge -> assertThat(challenge).startsWith("Basic realm="));
            server.send("GET", "/metrics", "", new byte[0]).expect(401);
            server.send("GET", "/nothing", "", new byte[0]).expect(401);
            server.send("GET", "/health/ready", "", new byte[0]).expect(200);
            server.send("GET", "/api/v1/channels", "", new byte[0], "Authorization", basic("alice", "wonderland"))
                    .expect(200);
            server.send("GET", "/api/v1/channels", "", new byte[0], "Authorization", basic("alice", "queen"))
                    .expect(401);
            server.send("GET", "/api/v1/channels", "", new byte[0], "Authorization", "Bearer x")
                    .expect(401);
        }
    }

    @Test
    void without_users_a_login_that_is_sent_all_the_same_must_be_that_of_guest() throws IOException {
        try (Fixture server = Fixture.inMemory()) {
            server.send("GET", "/api/v1/channels", "", new byte[0]).expect(200);
            server.send("GET", "/api/v1/channels", "", new byte[0], "Authorization", basic("guest", "guest"))
                    .expect(200);
            server.send("GET", "/api/v1/channels", "", new byte[0], "Authorization", basic("alice", "x"))
                    .expect(401);
        }
    }

    @Test
    void what_is_mounted_answers_below_its_prefix_and_the_own_interface_stays() throws IOException {
        try (Fixture server = Fixture.inMemory(users(echo()))) {
            String alice = basic("alice", "wonderland");
            Fixture.Answer answer = server.send(
                    "PUT", "/api/queues/%2F/a?x=1&x=2", "a/b", new byte[] {'h', 'i'}, "Authorization", alice);

            assertThat(answer.expect(200).body()).isEqualTo("PUT /queues/%2F/a ? x=1&x=2 by alice: hi");
            assertThat(answer.response().headers().firstValue("Postroad-Test")).contains("yes");
            server.send("DELETE", "/api/x", "", new byte[0], "Authorization", alice)
                    .expect(204);
            server.send("GET", "/api/x", "", new byte[0]).expect(401);
            server.send("GET", "/api/v1/channels", "", new byte[0], "Authorization", alice)
                    .expect(200);
            server.send("GET", "/apix", "", new byte[0], "Authorization", alice).expect(404);
        }
    }

    @Test
    void connections_are_listed_and_closed() throws IOException {
        try (Fixture server = Fixture.inMemory()) {
            TestConnection connection = TestConnection.enter(server.broker.connections(), "a -> b");

            assertThat(server.send("GET", "/api/v1/connections", "", new byte[0])
                            .expect(200)
                            .json()
                            .path("connections")
                            .path(0)
                            .path("client")
                            .asString())
                    .isEqualTo("127.0.0.1:5000");
            server.send("DELETE", "/api/v1/connections/a%20-%3E%20b?reason=enough", "", new byte[0])
                    .expect(204);
            assertThat(connection.closedFor).isEqualTo("enough");
            server.send("GET", "/api/v1/connections/other", "", new byte[0]).expect(404);
        }
    }
}
