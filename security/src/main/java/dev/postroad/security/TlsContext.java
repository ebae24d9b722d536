package dev.postroad.security;

import dev.postroad.security.TlsSettings.ClientCertificates;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * TLS of a server: 1.3 and 1.2 with forward secrecy and authenticated encryption only. Files that change are read again within
 * ten seconds, for the connections that come then; if they can't be used, those that were read before stay in force, loudly.
 * Safe for use by many threads.
 */
public final class TlsContext {
    private static final System.Logger LOG = System.getLogger(TlsContext.class.getName());
    private static final long LOOK_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

    private final TlsSettings settings;
    private final LongSupplier nanoTime;
    private final SSLContext context;
    private volatile Material material;
    /** A handshake that began before a change takes chain and key of the same identity. */
    private volatile Material previous;

    private int reads;

    /** What the files said; the alias tells one identity from the next. */
    private record Material(
            String alias,
            Pem.Identity identity,
            @Nullable X509ExtendedTrustManager trust,
            List<Long> stamps,
            long lookedAt) {}

    private TlsContext(TlsSettings settings, LongSupplier nanoTime) throws GeneralSecurityException, IOException {
        this.settings = settings;
        this.nanoTime = nanoTime;
        this.material = read();
        this.previous = material;
        this.context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {new Keys()}, new TrustManager[] {new Trust()}, null);
    }

    /** @throws AccessException if a file is missing or can't be used, with its name and what to do */
    public static TlsContext of(TlsSettings settings) {
        return of(settings, System::nanoTime);
    }

    static TlsContext of(TlsSettings settings, LongSupplier nanoTime) {
        try {
            return new TlsContext(settings, nanoTime);
        } catch (GeneralSecurityException | IOException e) {
            throw new AccessException(settings.certificate() + ": TLS can't be set up: " + e.getMessage(), e);
        }
    }

    private Material read() throws GeneralSecurityException, IOException {
        List<Long> stamps = stamps();
        Pem.Identity identity = Pem.identity(settings);
        identity.chain()[0].checkValidity();
        Path trusted = settings.trusted();
        return new Material(
                "server-" + ++reads,
                identity,
                trusted == null ? null : trust(Pem.trusted(trusted, settings.trustedPassword())),
                stamps,
                nanoTime.getAsLong());
    }

    private static X509ExtendedTrustManager trust(List<X509Certificate> authorities)
            throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (int i = 0; i < authorities.size(); i++) {
            store.setCertificateEntry("authority" + i, authorities.get(i));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        for (TrustManager manager : factory.getTrustManagers()) {
            if (manager instanceof X509ExtendedTrustManager trust) {
                return trust;
            }
        }
        throw new GeneralSecurityException("this Java has no PKIX trust");
    }

    private List<Long> stamps() throws IOException {
        List<Long> stamps = new ArrayList<>();
        for (Path file : new @Nullable Path[] {settings.certificate(), settings.key(), settings.trusted()}) {
            if (file != null && Files.exists(file)) {
                stamps.add(Files.getLastModifiedTime(file).toMillis());
                stamps.add(Files.size(file));
            }
        }
        return stamps;
    }

    private Material current() {
        Material known = material;
        long now = nanoTime.getAsLong();
        if (now - known.lookedAt < LOOK_AGAIN_NANOS) {
            return known;
        }
        synchronized (this) {
            known = material;
            if (now - known.lookedAt < LOOK_AGAIN_NANOS) {
                return known;
            }
            Material next = new Material(known.alias, known.identity, known.trust, known.stamps, now);
            try {
                if (!stamps().equals(known.stamps)) {
                    next = read();
                    previous = known;
                    LOG.log(
                            System.Logger.Level.INFO,
                            "{0}: read again, valid until {1}",
                            settings.certificate(),
                            next.identity.chain()[0].getNotAfter().toInstant());
                }
            } catch (GeneralSecurityException | IOException | AccessException e) {
                LOG.log(
                        System.Logger.Level.ERROR,
                        "the files of TLS changed and can't be used, so what they said before holds: {0}",
                        e.getMessage());
            }
            material = next;
            return next;
        }
    }

    /** An engine for one connection, in server mode, as the settings ask. */
    public SSLEngine newEngine() {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setSSLParameters(parameters());
        return engine;
    }

    /** For servers that make their own engines; {@link #parameters} must be applied to each. */
    public SSLContext context() {
        return context;
    }

    /** What each engine is to be set to. */
    public SSLParameters parameters() {
        SSLParameters parameters = context.getDefaultSSLParameters();
        parameters.setProtocols(PROTOCOLS);
        parameters.setCipherSuites(
                Arrays.stream(context.getSupportedSSLParameters().getCipherSuites())
                        .filter(TlsContext::isStrong)
                        .toArray(String[]::new));
        parameters.setUseCipherSuitesOrder(true);
        switch (settings.clients()) {
            case NONE -> parameters.setWantClientAuth(false);
            case OPTIONAL -> parameters.setWantClientAuth(true);
            case REQUIRED -> parameters.setNeedClientAuth(true);
        }
        return parameters;
    }

    private static boolean isStrong(String suite) {
        boolean authenticated = suite.contains("_GCM_") || suite.contains("_CHACHA20_POLY1305_");
        boolean tls13 = suite.startsWith("TLS_AES_") || suite.startsWith("TLS_CHACHA20_");
        return authenticated && (tls13 || suite.startsWith("TLS_ECDHE_"));
    }

    public ClientCertificates clientCertificates() {
        return settings.clients();
    }

    /** Shows whatever certificate is in force. */
    private final class Keys extends X509ExtendedKeyManager {
        private Pem.Identity identity(String alias) {
            Material before = previous;
            return before.alias.equals(alias) ? before.identity : material.identity;
        }

        @Override
        public String chooseEngineServerAlias(
                String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
            return chooseServerAlias(keyType, issuers, null);
        }

        @Override
        @SuppressWarnings("NullAway") // null says that there is no such key
        public String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
            Material now = current();
            String own = now.identity.key().getAlgorithm();
            boolean edwards = own.equals("EdDSA") && (keyType.startsWith("Ed") || keyType.equals("EdDSA"));
            return edwards || keyType.equals(own) || keyType.equals("RSASSA-PSS") && own.equals("RSA")
                    ? now.alias
                    : null;
        }

        @Override
        public String[] getServerAliases(String keyType, Principal @Nullable [] issuers) {
            return new String[] {current().alias};
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return identity(alias).chain().clone();
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return identity(alias).key();
        }

        @Override
        public String[] getClientAliases(String keyType, Principal @Nullable [] issuers) {
            return new String[0];
        }

        @Override
        @SuppressWarnings("NullAway") // as client it has no key
        public String chooseClientAlias(String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return null;
        }
    }

    /** Believes the authorities that are in force. */
    private final class Trust extends X509ExtendedTrustManager {
        private X509ExtendedTrustManager trust() throws CertificateException {
            X509ExtendedTrustManager trust = current().trust;
            if (trust == null) {
                throw new CertificateException("client certificates are not accepted");
            }
            return trust;
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            trust().checkClientTrusted(chain, type, socket);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            trust().checkClientTrusted(chain, type, engine);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            trust().checkClientTrusted(chain, type);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            throw new CertificateException("this is a server: it believes no other");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            throw new CertificateException("this is a server: it believes no other");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            throw new CertificateException("this is a server: it believes no other");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            X509ExtendedTrustManager trust = current().trust;
            return trust == null ? new X509Certificate[0] : trust.getAcceptedIssuers();
        }
    }
}
