package dev.postroad.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultSaslConfig;
import com.rabbitmq.client.LongString;
import com.rabbitmq.client.PossibleAuthenticationFailureException;
import com.rabbitmq.client.SaslMechanism;
import com.rabbitmq.client.impl.LongStringHelper;
import dev.postroad.protocols.amqp091.AmqpSettings;
import dev.postroad.security.Secret;
import dev.postroad.security.TlsSettings;
import dev.postroad.security.TlsSettings.ClientCertificates;
import dev.postroad.security.User;
import dev.postroad.security.UsersFile;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server with certificates of an authority of its own, and RabbitMQ's and the JDK's clients. */
class TlsTest {
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    static Path folder;

    private static KeyStore keys;
    private static PostroadServer server;

    @BeforeAll
    static void start() throws Exception {
        keytool("-genkeypair", "-alias", "ca", "-dname", "CN=Test CA", "-keyalg", "EC", "-ext", "bc:c");
        keytool("-genkeypair", "-alias", "forged", "-dname", "CN=device-7", "-keyalg", "EC", "-ext", "bc:c");
        signed("server", "CN=localhost", "ca", "-ext", "san=ip:127.0.0.1,dns:localhost");
        signed("device", "CN=device-7", "ca");
        keys = KeyStore.getInstance(folder.resolve("all.p12").toFile(), PASSWORD);
        write("server.crt", "CERTIFICATE", keys.getCertificate("server").getEncoded());
        write("server.key", "PRIVATE KEY", keys.getKey("server", PASSWORD).getEncoded());
        write("ca.crt", "CERTIFICATE", keys.getCertificate("ca").getEncoded());
        UsersFile users = UsersFile.at(folder.resolve("users")).withIterations(1_000);
        users.add("alice", Set.of(User.ADMINISTRATOR), Secret.of("secret"));
        users.add("device-7", Set.of(), null);
        server = PostroadServer.start(ServerSettings.DEFAULT
                .withData(null)
                .withHttpPort(0)
                .withAmqp(AmqpSettings.DEFAULT.withAddress("127.0.0.1", 0))
                .withAccess(new AccessSettings(
                        users.path(),
                        new TlsSettings(
                                folder.resolve("server.crt"),
                                folder.resolve("server.key"),
                                null,
                                ClientCertificates.OPTIONAL,
                                folder.resolve("ca.crt"),
                                null)))
                .withDrain(Duration.ofSeconds(2)));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static void signed(String alias, String name, String signer, String... more) throws Exception {
        String[] line = {"-genkeypair", "-alias", alias, "-dname", name, "-keyalg", "EC", "-signer", signer};
        String[] all = new String[line.length + more.length];
        System.arraycopy(line, 0, all, 0, line.length);
        System.arraycopy(more, 0, all, line.length, more.length);
        keytool(all);
    }

    private static void keytool(String... arguments) throws Exception {
        String[] line = new String[arguments.length + 8];
        line[0] = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        line[1] = "-J-XX:TieredStopAtLevel=1";
        System.arraycopy(arguments, 0, line, 2, arguments.length);
        String[] rest = {"-keystore", folder.resolve("all.p12").toString(), "-storepass", "changeit", "-validity", "30"
        };
        System.arraycopy(rest, 0, line, arguments.length + 2, rest.length);
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    private static void write(String file, String type, byte[] bytes) throws IOException {
        Files.writeString(
                folder.resolve(file),
                "-----BEGIN " + type + "-----\n" + Base64.getMimeEncoder().encodeToString(bytes) + "\n-----END " + type
                        + "-----\n");
    }

    /** What a client trusts, and how it shows itself. */
    private static SSLContext client(String trustedAlias, @Nullable String ownAlias) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("ca", keys.getCertificate(trustedAlias));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        KeyStore mine = KeyStore.getInstance("PKCS12");
        mine.load(null, null);
        if (ownAlias != null) {
            mine.setKeyEntry(ownAlias, keys.getKey(ownAlias, PASSWORD), PASSWORD, keys.getCertificateChain(ownAlias));
        }
        KeyManagerFactory own = KeyManagerFactory.getInstance("PKIX");
        own.init(mine, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static ConnectionFactory factory(SSLContext context) {
        ConnectionFactory factory = new ConnectionFactory();
        URI amqp = URI.create("amqp://" + server.amqpAuthority().orElseThrow());
        factory.setHost("127.0.0.1");
        factory.setPort(amqp.getPort());
        factory.setUsername("alice");
        factory.setPassword("secret");
        factory.useSslProtocol(context);
        factory.enableHostnameVerification();
        factory.setAutomaticRecoveryEnabled(false);
        return factory;
    }

    /** A message there and back. */
    private static void work(Connection connection) throws Exception {
        Channel channel = connection.createChannel();
        channel.confirmSelect();
        String queue = channel.queueDeclare().getQueue();
        byte[] body = new byte[100_000];
        channel.basicPublish("", queue, null, body);
        channel.waitForConfirmsOrDie(20_000);
        assertThat(channel.basicGet(queue, true).getBody()).isEqualTo(body);
    }

    @Test
    void a_password_over_amqps_lets_a_user_in_who_trusts_the_servers_authority() throws Exception {
        try (Connection connection = factory(client("ca", null)).newConnection()) {
            work(connection);
        }
        ConnectionFactory wrong = factory(client("ca", null));
        wrong.setPassword("guess");
        assertThatThrownBy(wrong::newConnection).isInstanceOf(PossibleAuthenticationFailureException.class);
    }

    @Test
    void a_client_that_trusts_another_authority_refuses_the_server() throws Exception {
        ConnectionFactory factory = factory(client("forged", null));
        assertThatThrownBy(factory::newConnection).isInstanceOf(SSLException.class);
        HttpClient http =
                HttpClient.newBuilder().sslContext(client("forged", null)).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://" + server.httpAuthority() + "/health/live"))
                .build();
        assertThatThrownBy(() -> http.send(request, BodyHandlers.ofString())).isInstanceOf(SSLException.class);
    }

    @Test
    void a_client_certificate_is_the_login_by_external() throws Exception {
        ConnectionFactory factory = factory(client("ca", "device"));
        factory.setSaslConfig(DefaultSaslConfig.EXTERNAL);
        try (Connection connection = factory.newConnection()) {
            work(connection);
        }
        ConnectionFactory unknown = factory(client("ca", "server"));
        unknown.setSaslConfig(DefaultSaslConfig.EXTERNAL);
        assertThatThrownBy(unknown::newConnection).isInstanceOf(PossibleAuthenticationFailureException.class);
        ConnectionFactory none = factory(client("ca", null));
        none.setSaslConfig(DefaultSaslConfig.EXTERNAL);
        assertThatThrownBy(none::newConnection).isInstanceOf(IOException.class);
        ConnectionFactory forged = factory(client("ca", "forged"));
        forged.setSaslConfig(DefaultSaslConfig.EXTERNAL);
        assertThatThrownBy(forged::newConnection).isInstanceOf(IOException.class);
    }

    @Test
    void name_and_password_come_by_amqplain_too() throws Exception {
        ConnectionFactory factory = factory(client("ca", null));
        factory.setSaslConfig(mechanisms -> List.of(mechanisms).contains("AMQPLAIN") ? new AmqPlain() : null);
        try (Connection connection = factory.newConnection()) {
            work(connection);
        }
        factory.setPassword("guess");
        assertThatThrownBy(factory::newConnection).isInstanceOf(PossibleAuthenticationFailureException.class);
    }

    /** A field table of LOGIN and PASSWORD, without its length. */
    private static final class AmqPlain implements SaslMechanism {
        @Override
        public String getName() {
            return "AMQPLAIN";
        }

        @Override
        public LongString handleChallenge(@Nullable LongString challenge, String user, String password) {
            ByteBuffer table = ByteBuffer.allocate(1024);
            Map.of("LOGIN", user, "PASSWORD", password).forEach((name, value) -> {
                byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
                table.put((byte) name.length()).put(name.getBytes(StandardCharsets.UTF_8));
                table.put((byte) 'S').putInt(bytes.length).put(bytes);
            });
            byte[] response = new byte[table.position()];
            table.flip().get(response);
            return LongStringHelper.asLongString(response);
        }
    }

    @Test
    void a_client_that_speaks_no_tls_gets_nothing() throws Exception {
        ConnectionFactory plain = new ConnectionFactory();
        plain.setHost("127.0.0.1");
        plain.setPort(
                URI.create("amqp://" + server.amqpAuthority().orElseThrow()).getPort());
        plain.setUsername("alice");
        plain.setPassword("secret");
        assertThatThrownBy(plain::newConnection)
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(ConnectException.class);
    }

    @Test
    void https_takes_what_amqps_sent_and_asks_for_a_password() throws Exception {
        try (Connection connection = factory(client("ca", null)).newConnection()) {
            Channel channel = connection.createChannel();
            channel.queueDeclare("shared", true, false, false, null);
            channel.basicPublish("", "shared", null, "hello".getBytes(StandardCharsets.UTF_8));
        }
        assertThat(get("/api/queues/%2F/shared", "alice:secret").statusCode()).isEqualTo(200);
        HttpClient http = HttpClient.newBuilder().sslContext(client("ca", null)).build();
        HttpResponse<String> got = http.send(
                request("/api/queues/%2F/shared/get", "alice:secret")
                        .POST(BodyPublishers.ofString(
                                "{\"count\":1,\"ackmode\":\"ack_requeue_false\",\"encoding\":\"auto\"}"))
                        .build(),
                BodyHandlers.ofString());
        assertThat(got.body()).contains("\"payload\":\"hello\"");
        assertThat(get("/api/overview", "alice:guess").statusCode()).isEqualTo(401);
        assertThat(get("/health/live", null).statusCode()).isEqualTo(200);
    }

    private static HttpRequest.Builder request(String path, @Nullable String login) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("https://" + server.httpAuthority() + path));
        if (login != null) {
            request.header(
                    "Authorization",
                    "Basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8)));
        }
        return request;
    }

    private static HttpResponse<String> get(String path, @Nullable String login) throws Exception {
        HttpClient http = HttpClient.newBuilder().sslContext(client("ca", null)).build();
        return http.send(request(path, login).build(), BodyHandlers.ofString());
    }
}
