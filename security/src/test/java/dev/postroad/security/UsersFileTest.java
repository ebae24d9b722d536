package dev.postroad.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.security.Permission.Action;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UsersFileTest {
    @TempDir
    Path folder;

    private UsersFile users;

    @BeforeEach
    void file() {
        users = UsersFile.at(folder.resolve("users")).withIterations(1_000);
    }

    @Test
    void users_are_added_listed_changed_and_deleted() {
        users.add("bob", Set.of(), Secret.of("b"));
        users.add("alice", Set.of(User.ADMINISTRATOR, "ops"), Secret.of("a"));
        users.add("device", Set.of(), null);

        assertThat(users.list())
                .containsExactly(
                        new User("alice", Set.of("administrator", "ops")),
                        new User("bob", Set.of()),
                        new User("device", Set.of()));
        users.setTags("bob", Set.of(User.MONITORING));
        assertThat(users.find("bob")).contains(new User("bob", Set.of("monitoring")));
        assertThat(users.delete("alice")).isTrue();
        assertThat(users.delete("alice")).isFalse();
        assertThat(users.find("alice")).isEmpty();
        assertThat(users.passwordHash("device")).isEmpty();
    }

    @Test
    void the_file_belongs_to_its_owner_alone_and_holds_no_password() throws IOException {
        users.add("alice", Set.of(), Secret.of("correct horse battery"));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(users.path())))
                .isEqualTo("rw-------");
        assertThat(Files.readString(users.path()))
                .contains("alice::pbkdf2-sha256$1000$")
                .doesNotContain("horse");
    }

    @Test
    void a_file_that_others_may_read_is_refused() throws IOException {
        users.add("alice", Set.of(), Secret.of("a"));
        Files.setPosixFilePermissions(users.path(), PosixFilePermissions.fromString("rw-r--r--"));

        assertThatThrownBy(users::list)
                .isInstanceOf(AccessException.class)
                .hasMessageContaining("chmod 600 " + users.path());
    }

    @Test
    void what_can_not_be_a_user_is_refused_by_name() {
        users.add("alice", Set.of(), Secret.of("a"));

        assertThatThrownBy(() -> users.add("alice", Set.of(), Secret.of("b"))).hasMessageContaining("'alice' already");
        for (String name : List.of("", "a:b", "a\nb", " a", "#a", "x".repeat(256))) {
            assertThatThrownBy(() -> users.add(name, Set.of(), Secret.of("b")))
                    .as(name)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("name");
        }
        assertThatThrownBy(() -> users.add("bob", Set.of("a,b"), Secret.of("b")))
                .hasMessageContaining("'a,b'");
        assertThatThrownBy(() -> users.add("bob", Set.of(), Secret.of(""))).hasMessageContaining("empty");
        assertThatThrownBy(() -> users.add("bob", Set.of(), Secret.of("x".repeat(2_000))))
                .hasMessageContaining("1024");
        assertThatThrownBy(() -> users.setPassword("bob", Secret.of("b"))).hasMessageContaining("no user 'bob'");
    }

    @Test
    void a_broken_line_is_told_with_its_number_and_without_its_secret() throws IOException {
        for (String line : List.of(
                "alice", "alice::secret", "alice::pbkdf2-sha256$1$c2FsdHNhbHQ=$aGFzaA==", "a:b:c:d", "alice:x y:-")) {
            Files.deleteIfExists(users.path());
            users.add("bob", Set.of(), null);
            Files.writeString(users.path(), Files.readString(users.path()) + line + "\n");

            assertThatThrownBy(users::list)
                    .as(line)
                    .isInstanceOf(AccessException.class)
                    .hasMessageContaining("users:3: ")
                    .hasMessageNotContaining("secret")
                    .hasMessageNotContaining("aGFzaA");
        }
    }

    @Test
    void many_who_change_it_at_once_lose_nothing() throws Exception {
        List<Thread> writers = new ArrayList<>();
        for (int w = 0; w < 4; w++) {
            String prefix = "w" + w + "-";
            // Each its own object: what keeps them apart is the lock on the disk too.
            UsersFile own = UsersFile.at(users.path()).withIterations(1_000);
            writers.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 10; i++) {
                    own.add(prefix + i, Set.of(), null);
                }
            }));
        }
        for (Thread writer : writers) {
            writer.join();
        }

        assertThat(users.list()).hasSize(40);
    }

    @Test
    void a_hash_from_a_rabbitmq_is_kept_under_a_slow_one() throws Exception {
        byte[] salt = {1, 2, 3, 4};
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(salt);
        byte[] sum = digest.digest("s3cret".getBytes(StandardCharsets.UTF_8));
        byte[] both = new byte[36];
        System.arraycopy(salt, 0, both, 0, 4);
        System.arraycopy(sum, 0, both, 4, 32);
        String hash = Base64.getEncoder().encodeToString(both);

        assertThat(users.putHashed("alice", Set.of(), "rabbit_password_hashing_sha256", hash))
                .isTrue();

        assertThat(Files.readString(users.path()))
                .contains("alice::rabbitmq-sha256+pbkdf2-sha256$1000$")
                .doesNotContain(Base64.getEncoder().encodeToString(sum));
        Authenticator authenticator = Authenticator.users(users, false);
        assertThat(AuthenticatorTest.login(authenticator, "alice", "s3cret")).isTrue();
        assertThat(AuthenticatorTest.login(authenticator, "alice", "other")).isFalse();
        assertThatThrownBy(() -> users.putHashed("bob", Set.of(), "rabbit_password_hashing_md5", hash))
                .hasMessageContaining("rabbit_password_hashing_md5");
        assertThatThrownBy(() -> users.putHashed("bob", Set.of(), "rabbit_password_hashing_sha512", hash))
                .hasMessageContaining("36 bytes");
    }

    @Test
    void what_a_user_may_do_is_kept_whatever_the_names_and_expressions_are() {
        users.add("alice", Set.of(), Secret.of("a"));
        assertThat(users.find("alice").orElseThrow().permissions()).isEqualTo(Permissions.EVERYTHING);
        Permission odd = Permission.of("^a,b;c:d%|\\s+\\ $", "", "é {1,2}\t ");
        Permissions some = Permissions.of(Map.of("/", Permission.of("^mine-.*", "x", ".*"), "a:b;c,d%/ +", odd));

        assertThat(users.changePermissions("alice", known -> some)).isTrue();
        assertThat(users.changePermissions("alice", known -> some)).isFalse();

        User alice = users.find("alice").orElseThrow();
        assertThat(alice.permissions()).isEqualTo(some);
        assertThat(alice.permissions().allows(Action.CONFIGURE, "/", "mine-1")).isTrue();
        assertThat(alice.permissions().allows(Action.CONFIGURE, "/", "not-mine-1"))
                .isFalse();
        assertThat(alice.permissions().allows(Action.WRITE, "/", "axe")).isTrue();
        assertThat(alice.permissions().allows(Action.WRITE, "a:b;c,d%/ +", "axe"))
                .isFalse();
        assertThat(alice.permissions().allows(Action.READ, "elsewhere", "x")).isFalse();
        users.setTags("alice", Set.of("ops"));
        users.setPassword("alice", Secret.of("b"));
        assertThat(users.find("alice").orElseThrow().permissions()).isEqualTo(some);
        assertThat(users.put("bob", Set.of(), Secret.of("b"))).isTrue();
        assertThat(users.find("bob").orElseThrow().permissions()).isEqualTo(Permissions.NOTHING);
        assertThatThrownBy(() -> Permission.of("", "a(", "")).hasMessageContaining("write 'a('");
    }

    @Test
    void a_hash_goes_from_one_file_to_another() {
        users.add("alice", Set.of(), Secret.of("a"));
        UsersFile other = UsersFile.at(folder.resolve("other"));

        other.put("x", Set.of(), (Secret) null);
        other.putHashed(
                "alice",
                Set.of(),
                UsersFile.HASHING_ALGORITHM,
                users.passwordHash("alice").orElseThrow());

        assertThat(AuthenticatorTest.login(Authenticator.users(other, false), "alice", "a"))
                .isTrue();
    }
}
