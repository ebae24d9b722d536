package dev.postroad.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.testkit.VirtualClock;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AuthenticatorTest {
    private static final Peer LOCAL = Peer.plain(InetAddress.getLoopbackAddress());

    @TempDir
    Path folder;

    private final VirtualClock clock = new VirtualClock();
    private UsersFile users;
    private Authenticator authenticator;

    @BeforeEach
    void someUsers() {
        users = UsersFile.at(folder.resolve("users")).withIterations(1_000);
        users.add("alice", Set.of(User.ADMINISTRATOR), Secret.of("wonderland"));
        users.add("device", Set.of(), null);
        authenticator = new UsersAuthenticator(users, false, clock::nanoTime);
    }

    static boolean login(Authenticator authenticator, String name, String password) {
        return authenticator.login(new Credentials.Password(name, Secret.of(password)), LOCAL)
                instanceof Login.Accepted;
    }

    private Login from(String address, String name, String password) {
        return authenticator.login(
                new Credentials.Password(name, Secret.of(password)), new Peer(at(address), true, null));
    }

    private static InetAddress at(String address) {
        try {
            return InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void the_right_password_lets_a_user_in_with_its_tags() {
        assertThat(from("127.0.0.1", "alice", "wonderland"))
                .isEqualTo(new Login.Accepted(new User("alice", Set.of("administrator"))));
        assertThat(from("127.0.0.1", "alice", "wonderland")).isInstanceOf(Login.Accepted.class);
    }

    @Test
    void a_wrong_password_an_unknown_user_and_one_without_a_password_are_refused_alike() {
        Login wrong = from("127.0.0.1", "alice", "Wonderland");

        assertThat(wrong).isInstanceOf(Login.Refused.class);
        assertThat(List.of(
                        from("127.0.0.2", "nobody", "wonderland"),
                        from("127.0.0.3", "device", "-"),
                        from("127.0.0.4", "alice", ""),
                        from("127.0.0.5", "alice", "x".repeat(5_000)),
                        from("127.0.0.6", "x".repeat(5_000), "wonderland"),
                        authenticator.login(
                                new Credentials.Password("alice", Secret.of(new byte[] {(byte) 0xff})), LOCAL)))
                .containsOnly(wrong);
    }

    @Test
    void a_password_in_the_clear_is_accepted_from_loopback_only() {
        Peer remote = Peer.plain(at("192.0.2.1"));

        assertThat(authenticator.mechanisms(remote)).isEmpty();
        assertThat(authenticator.mechanisms(LOCAL)).containsExactly("PLAIN", "AMQPLAIN");
        assertThat(authenticator.login(new Credentials.Password("alice", Secret.of("wonderland")), remote))
                .isEqualTo(new Login.Refused("a password is accepted over TLS only"));
        Authenticator insecure = Authenticator.users(users, true);
        assertThat(insecure.login(new Credentials.Password("alice", Secret.of("wonderland")), remote))
                .isInstanceOf(Login.Accepted.class);
    }

    @Test
    void who_fails_again_and_again_has_to_wait_longer_each_time() {
        for (int i = 0; i < 5; i++) {
            assertThat(from("192.0.2.1", "alice", "guess" + i)).isInstanceOf(Login.Refused.class);
        }
        Login waits = new Login.Refused("too many failed logins; try again later");

        assertThat(from("192.0.2.1", "alice", "wonderland")).isEqualTo(waits);
        assertThat(from("192.0.2.2", "alice", "wonderland")).isInstanceOf(Login.Accepted.class);
        clock.advance(Duration.ofMillis(1_001));
        assertThat(from("192.0.2.1", "alice", "guess")).isNotEqualTo(waits);
        clock.advance(Duration.ofMillis(1_001));
        assertThat(from("192.0.2.1", "alice", "wonderland")).isEqualTo(waits);
        clock.advance(Duration.ofMillis(1_000));
        assertThat(from("192.0.2.1", "alice", "wonderland")).isInstanceOf(Login.Accepted.class);
        assertThat(from("192.0.2.1", "alice", "guess")).isNotEqualTo(waits);
    }

    @Test
    void other_names_from_one_address_count_too_but_later() {
        for (int i = 0; i < 50; i++) {
            from("192.0.2.1", "name" + i, "guess");
        }

        assertThat(from("192.0.2.1", "alice", "wonderland"))
                .isEqualTo(new Login.Refused("too many failed logins; try again later"));
    }

    @Test
    void remembering_who_failed_takes_bounded_memory() {
        Backoff backoff = new Backoff(clock::nanoTime);
        for (int i = 0; i < 50_000; i++) {
            backoff.failed(at("10." + (i >> 16) + "." + (i >> 8 & 255) + "." + (i & 255)), "name");
        }

        assertThat(backoff.size()).isEqualTo(20_000);
    }

    @Test
    void a_changed_file_counts_within_a_second() {
        assertThat(login(authenticator, "alice", "wonderland")).isTrue();
        users.setPassword("alice", Secret.of("looking glass"));
        users.add("bob", Set.of(), Secret.of("builder"));

        clock.advance(Duration.ofMillis(1_001));

        assertThat(login(authenticator, "bob", "builder")).isTrue();
        assertThat(login(authenticator, "alice", "wonderland")).isFalse();
        assertThat(login(authenticator, "alice", "looking glass")).isTrue();
        users.delete("alice");
        clock.advance(Duration.ofMillis(1_001));
        assertThat(login(authenticator, "alice", "looking glass")).isFalse();
    }

    @Test
    void a_file_that_went_bad_leaves_in_force_what_it_said_before() throws Exception {
        Files.writeString(users.path(), "broken\n");
        clock.advance(Duration.ofMillis(1_001));

        assertThat(login(authenticator, "alice", "wonderland")).isTrue();
        assertThatThrownBy(() -> Authenticator.users(users, false))
                .isInstanceOf(AccessException.class)
                .hasMessageContaining("users:1: ");
    }

    @Test
    void an_unknown_user_costs_as_much_time_as_a_wrong_password() {
        UsersFile slow = UsersFile.at(folder.resolve("slow")).withIterations(200_000);
        slow.add("alice", Set.of(), Secret.of("a"));
        UsersFile.at(slow.path()).withIterations(1_000).add("weak", Set.of(), Secret.of("w"));
        Authenticator checked = new UsersAuthenticator(slow, false, clock::nanoTime);
        long known = Long.MAX_VALUE;
        long unknown = Long.MAX_VALUE;
        long weak = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            // Names and addresses of their own keep the back-off out.
            known = Math.min(known, time(checked, "alice", "10.0.0." + i));
            unknown = Math.min(unknown, time(checked, "nobody", "10.0.1." + i));
            weak = Math.min(weak, time(checked, "weak", "10.0.2." + i));
        }

        assertThat((double) unknown / known).isBetween(0.5, 2.0);
        assertThat((double) weak / known).isBetween(0.5, 2.0);
    }

    private static long time(Authenticator authenticator, String name, String address) {
        long start = System.nanoTime();
        Login login = authenticator.login(
                new Credentials.Password(name, Secret.of("wrong")), new Peer(at(address), true, null));
        long took = System.nanoTime() - start;
        assertThat(login).isInstanceOf(Login.Refused.class);
        return took;
    }

    @Test
    void guest_comes_in_from_loopback_only() {
        Authenticator guest = Authenticator.guestFromLoopback();

        assertThat(login(guest, "guest", "guest")).isTrue();
        assertThat(login(guest, "guest", "other")).isFalse();
        assertThat(login(guest, "alice", "guest")).isFalse();
        assertThat(guest.login(
                        new Credentials.Password("guest", Secret.of("guest")), new Peer(at("192.0.2.1"), true, null)))
                .isInstanceOf(Login.Refused.class);
        assertThat(guest.mechanisms(Peer.plain(at("192.0.2.1")))).isEmpty();
    }

    @Test
    void a_response_of_plain_has_an_identity_a_name_and_a_password() {
        assertThat(plain("\0alice\0won:der\u00e9"))
                .isEqualTo(new Credentials.Password("alice", Secret.of("won:der\u00e9")));
        assertThat(plain("alice\0alice\0p")).isEqualTo(new Credentials.Password("alice", Secret.of("p")));
        for (String wrong : List.of("", "alice", "\0alice", "\0alice\0p\0q", "bob\0alice\0secret")) {
            assertThatThrownBy(() -> plain(wrong))
                    .as(wrong)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageNotContaining("secret");
        }
        assertThatThrownBy(() -> Credentials.plain(new byte[] {0, (byte) 0xc3, 0, 'p'}))
                .hasMessageContaining("UTF-8");
    }

    private static Credentials.Password plain(String response) {
        return Credentials.plain(response.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void basic_authorization_has_a_name_and_a_password_in_base64() {
        assertThat(Credentials.basic("Basic " + base64("alice:a:b")))
                .isEqualTo(new Credentials.Password("alice", Secret.of("a:b")));
        assertThat(Credentials.basic("basic  " + base64(":"))).isEqualTo(new Credentials.Password("", Secret.of("")));
        for (String wrong : List.of("", "Basic", "Bearer x", "Basic !!", "Basic " + base64("alice"), "Basic a b")) {
            assertThatThrownBy(() -> Credentials.basic(wrong)).as(wrong).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void a_secret_does_not_print() {
        Secret secret = Secret.of("wonderland");

        assertThat(secret + " " + new Credentials.Password("alice", secret)).doesNotContain("wonderland");
        assertThat(PasswordHash.of(secret, 1_000)).hasToString("pbkdf2-sha256$***");
        secret.close();
        assertThat(secret).isNotEqualTo(Secret.of("wonderland"));
    }
}
