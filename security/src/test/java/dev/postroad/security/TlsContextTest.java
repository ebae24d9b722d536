package dev.postroad.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.security.TlsSettings.ClientCertificates;
import dev.postroad.testkit.VirtualClock;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With keys of keytool, and the JDK's own sockets at both ends. */
class TlsContextTest {
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    static Path folder;

    private static KeyStore keys;

    @BeforeAll
    static void makeKeys() throws Exception {
        keytool("-genkeypair", "-alias", "ca", "-dname", "CN=Test CA", "-keyalg", "EC", "-ext", "bc:c");
        keytool("-genkeypair", "-alias", "server", "-dname", "CN=localhost", "-keyalg", "EC", "-signer", "ca");
        keytool("-genkeypair", "-alias", "next", "-dname", "CN=next", "-keyalg", "RSA", "-signer", "ca");
        keytool("-genkeypair", "-alias", "client", "-dname", "CN=de\\,vice+OU=x,O=y", "-keyalg", "EC", "-signer", "ca");
        keys = KeyStore.getInstance(folder.resolve("all.p12").toFile(), PASSWORD);
        pem("server", "server.crt", "server.key");
        pem("next", "next.crt", "next.key");
        write("ca.crt", "CERTIFICATE", keys.getCertificate("ca").getEncoded());
    }

    private static void keytool(String... arguments) throws Exception {
        String[] line = new String[arguments.length + 7];
        line[0] = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        System.arraycopy(arguments, 0, line, 1, arguments.length);
        String[] rest = {"-keystore", folder.resolve("all.p12").toString(), "-storepass", "changeit", "-validity", "30"
        };
        System.arraycopy(rest, 0, line, arguments.length + 1, rest.length);
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    private static void pem(String alias, String certificate, String key) throws Exception {
        write(certificate, "CERTIFICATE", keys.getCertificate(alias).getEncoded());
        write(key, "PRIVATE KEY", keys.getKey(alias, PASSWORD).getEncoded());
    }

    private static void write(String file, String type, byte[] bytes) throws IOException {
        Files.writeString(
                folder.resolve(file),
                "-----BEGIN " + type + "-----\n" + Base64.getMimeEncoder().encodeToString(bytes) + "\n-----END " + type
                        + "-----\n");
    }

    private static TlsSettings settings(ClientCertificates clients) {
        return new TlsSettings(
                folder.resolve("server.crt"),
                folder.resolve("server.key"),
                null,
                clients,
                clients == ClientCertificates.NONE ? null : folder.resolve("ca.crt"),
                null);
    }

    /** One handshake. The client's session is the result. */
    private static SSLSession handshake(TlsContext context, @Nullable String clientAlias, String... protocols)
            throws Exception {
        SSLContext client = SSLContext.getInstance("TLS");
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("ca", keys.getCertificate("ca"));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        KeyManagerFactory own = KeyManagerFactory.getInstance("PKIX");
        KeyStore mine = KeyStore.getInstance("PKCS12");
        mine.load(null, null);
        if (clientAlias != null) {
            mine.setKeyEntry(
                    clientAlias, keys.getKey(clientAlias, PASSWORD), PASSWORD, keys.getCertificateChain(clientAlias));
        }
        own.init(mine, PASSWORD);
        client.init(own.getKeyManagers(), trust.getTrustManagers(), null);

        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (SSLServerSocket server =
                (SSLServerSocket) context.context().getServerSocketFactory().createServerSocket(0, 1, loopback)) {
            SSLParameters parameters = context.parameters();
            server.setSSLParameters(parameters);
            CompletableFuture<SSLSession> accepted = CompletableFuture.supplyAsync(() -> {
                try (SSLSocket socket = (SSLSocket) server.accept()) {
                    socket.setSoTimeout(10_000);
                    socket.startHandshake();
                    socket.getOutputStream().write(1);
                    return socket.getSession();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            SSLSession agreed;
            try (Socket plain = new Socket(loopback, server.getLocalPort());
                    SSLSocket socket = (SSLSocket)
                            client.getSocketFactory().createSocket(plain, "localhost", plain.getPort(), true)) {
                if (protocols.length > 0) {
                    socket.setEnabledProtocols(protocols);
                }
                socket.setSoTimeout(10_000);
                socket.startHandshake();
                assertThat(socket.getInputStream().read()).isEqualTo(1);
                agreed = socket.getSession();
            } catch (SSLException e) {
                accepted.handle((session, failure) -> null).get(10, TimeUnit.SECONDS);
                throw e;
            }
            assertThat(accepted.get(10, TimeUnit.SECONDS)).isNotNull();
            return agreed;
        }
    }

    @Test
    void a_client_of_tls_1_3_or_1_2_gets_in_and_an_older_one_does_not() throws Exception {
        TlsContext context = TlsContext.of(settings(ClientCertificates.NONE));

        assertThat(handshake(context, null).getProtocol()).isEqualTo("TLSv1.3");
        SSLSession older = handshake(context, null, "TLSv1.2");
        assertThat(older.getProtocol()).isEqualTo("TLSv1.2");
        assertThat(older.getCipherSuite()).contains("ECDHE").containsAnyOf("GCM", "CHACHA20");
        assertThat(context.newEngine().getEnabledProtocols()).containsExactlyInAnyOrder("TLSv1.3", "TLSv1.2");
        assertThat(context.newEngine().getEnabledCipherSuites())
                .isNotEmpty()
                .allMatch(suite -> suite.contains("GCM") || suite.contains("CHACHA20"));
    }

    @Test
    void a_client_certificate_is_believed_when_an_authority_vouches_for_it() throws Exception {
        TlsContext required = TlsContext.of(settings(ClientCertificates.REQUIRED));

        assertThat(handshake(required, "client")).isNotNull();
        assertThatThrownBy(() -> handshake(required, null)).isInstanceOf(SSLException.class);
        assertThat(handshake(TlsContext.of(settings(ClientCertificates.OPTIONAL)), null))
                .isNotNull();
    }

    @Test
    void the_common_name_of_a_certificate_is_the_user() throws Exception {
        UsersFile users = UsersFile.at(folder.resolve("users")).withIterations(1_000);
        users.add("de,vice", Set.of(), null);
        Authenticator authenticator = Authenticator.users(users, false);
        X509Certificate client = (X509Certificate) keys.getCertificate("client");
        X509Certificate stranger = (X509Certificate) keys.getCertificate("next");
        InetAddress remote = InetAddress.getByName("192.0.2.1");

        assertThat(authenticator.mechanisms(new Peer(remote, true, client)))
                .containsExactly("EXTERNAL", "PLAIN", "AMQPLAIN");
        assertThat(authenticator.login(new Credentials.Certificate(), new Peer(remote, true, client)))
                .isEqualTo(new Login.Accepted(new User("de,vice", Set.of())));
        assertThat(authenticator.login(new Credentials.Certificate(), new Peer(remote, true, stranger)))
                .isInstanceOf(Login.Refused.class);
        assertThat(authenticator.login(new Credentials.Certificate(), new Peer(remote, true, null)))
                .isInstanceOf(Login.Refused.class);
    }

    @Test
    void a_pkcs12_file_holds_key_and_certificate() throws Exception {
        Path store = folder.resolve("server.p12");
        KeyStore one = KeyStore.getInstance("PKCS12");
        one.load(null, null);
        one.setKeyEntry("x", keys.getKey("server", PASSWORD), PASSWORD, new Certificate[] {
            keys.getCertificate("server"), keys.getCertificate("ca")
        });
        try (var out = Files.newOutputStream(store)) {
            one.store(out, PASSWORD);
        }

        TlsSettings settings = new TlsSettings(store, null, Secret.of("changeit"), ClientCertificates.NONE, null, null);
        assertThat(handshake(TlsContext.of(settings), null)).isNotNull();
        TlsSettings wrong = new TlsSettings(store, null, Secret.of("no"), ClientCertificates.NONE, null, null);
        assertThatThrownBy(() -> TlsContext.of(wrong))
                .isInstanceOf(AccessException.class)
                .hasMessageContaining("server.p12");
        assertThat(settings.toString()).doesNotContain("changeit");
    }

    @Test
    void a_renewed_certificate_is_shown_to_the_connections_that_come_then() throws Exception {
        VirtualClock clock = new VirtualClock();
        Path certificate = Files.copy(folder.resolve("server.crt"), folder.resolve("live.crt"));
        Path key = Files.copy(folder.resolve("server.key"), folder.resolve("live.key"));
        TlsContext context = TlsContext.of(TlsSettings.pem(certificate, key), clock::nanoTime);
        assertThat(subject(handshake(context, null))).isEqualTo("CN=localhost");

        Files.copy(folder.resolve("next.crt"), certificate, StandardCopyOption.REPLACE_EXISTING);
        Files.copy(folder.resolve("next.key"), key, StandardCopyOption.REPLACE_EXISTING);
        Files.setLastModifiedTime(certificate, FileTime.fromMillis(1));
        clock.advance(Duration.ofSeconds(11));

        assertThat(subject(handshake(context, null))).isEqualTo("CN=next");
        Files.writeString(certificate, "rubbish");
        clock.advance(Duration.ofSeconds(11));
        assertThat(subject(handshake(context, null))).isEqualTo("CN=next");
    }

    private static String subject(SSLSession session) throws Exception {
        return ((X509Certificate) session.getPeerCertificates()[0])
                .getSubjectX500Principal()
                .getName();
    }

    @Test
    void what_is_missing_or_contradicts_is_refused_by_name() throws IOException {
        Path none = folder.resolve("none.crt");
        assertThatThrownBy(() -> TlsContext.of(TlsSettings.pem(none, folder.resolve("server.key"))))
                .isInstanceOf(AccessException.class)
                .hasMessageContaining("none.crt");
        assertThatThrownBy(() -> TlsContext.of(TlsSettings.pem(folder.resolve("server.crt"), folder.resolve("ca.crt"))))
                .hasMessageContaining("ca.crt holds no private key");
        Files.writeString(
                folder.resolve("old.key"), "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
        assertThatThrownBy(
                        () -> TlsContext.of(TlsSettings.pem(folder.resolve("server.crt"), folder.resolve("old.key"))))
                .hasMessageContaining("openssl pkcs8");
        assertThatThrownBy(() -> new TlsSettings(none, null, null, ClientCertificates.NONE, null, null))
                .hasMessageContaining("tls.key");
        assertThatThrownBy(() -> new TlsSettings(none, none, null, ClientCertificates.REQUIRED, null, null))
                .hasMessageContaining("tls.trusted");
    }
}
