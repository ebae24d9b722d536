package dev.postroad.security;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.jspecify.annotations.Nullable;

/** Reads certificates and keys from PEM and PKCS#12 files. Messages name the file and hold no secrets. */
final class Pem {
    private static final int MAX_BYTES = 4 * 1024 * 1024;
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\\s]*)-----END \\1-----");
    private static final List<String> ALGORITHMS = List.of("RSA", "EC", "Ed25519", "Ed448");

    private Pem() {}

    /** A private key and its certificate, the server's first. */
    record Identity(PrivateKey key, X509Certificate[] chain) {}

    static Identity identity(TlsSettings settings) throws GeneralSecurityException, IOException {
        Path key = settings.key();
        if (key == null) {
            return identity(settings.certificate(), settings.password());
        }
        List<X509Certificate> chain = certificates(settings.certificate());
        return new Identity(key(key, settings.password()), chain.toArray(X509Certificate[]::new));
    }

    private static Identity identity(Path file, @Nullable Secret password)
            throws GeneralSecurityException, IOException {
        KeyStore store = store(file, password);
        for (String alias : Collections.list(store.aliases())) {
            if (store.isKeyEntry(alias) && store.getKey(alias, characters(password)) instanceof PrivateKey key) {
                List<X509Certificate> certificates = new ArrayList<>();
                for (Certificate certificate : store.getCertificateChain(alias)) {
                    if (certificate instanceof X509Certificate x509) {
                        certificates.add(x509);
                    }
                }
                return new Identity(key, certificates.toArray(X509Certificate[]::new));
            }
        }
        throw new AccessException(file + " holds no private key with a certificate");
    }

    /** Authorities to believe. */
    static List<X509Certificate> trusted(Path file, @Nullable Secret password)
            throws GeneralSecurityException, IOException {
        if (!TlsSettings.isStore(file)) {
            return certificates(file);
        }
        KeyStore store = store(file, password);
        List<X509Certificate> certificates = new ArrayList<>();
        for (String alias : Collections.list(store.aliases())) {
            if (store.getCertificate(alias) instanceof X509Certificate certificate) {
                certificates.add(certificate);
            }
        }
        if (certificates.isEmpty()) {
            throw new AccessException(file + " holds no certificate");
        }
        return certificates;
    }

    private static KeyStore store(Path file, @Nullable Secret password) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try {
            store.load(new ByteArrayInputStream(bytes(file)), characters(password));
        } catch (IOException e) {
            throw new AccessException(file + " can't be opened: it is no PKCS#12 file, or the password is wrong", e);
        }
        return store;
    }

    private static char[] characters(@Nullable Secret password) {
        return password == null ? new char[0] : new String(password.bytes(), StandardCharsets.UTF_8).toCharArray();
    }

    private static byte[] bytes(Path file) throws IOException {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new AccessException(file + " is larger than 4 MiB: it is no file of certificates or keys");
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new AccessException("there is no file " + file, e);
        }
    }

    private static List<X509Certificate> certificates(Path file) throws GeneralSecurityException, IOException {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        List<X509Certificate> certificates = new ArrayList<>();
        Matcher block = BLOCK.matcher(new String(bytes(file), StandardCharsets.ISO_8859_1));
        while (block.find()) {
            if (block.group(1).equals("CERTIFICATE")
                    && factory.generateCertificate(new ByteArrayInputStream(decode(file, block)))
                            instanceof X509Certificate certificate) {
                certificates.add(certificate);
            }
        }
        if (certificates.isEmpty()) {
            throw new AccessException(file + " holds no certificate (-----BEGIN CERTIFICATE-----)");
        }
        return certificates;
    }

    private static PrivateKey key(Path file, @Nullable Secret password) throws GeneralSecurityException, IOException {
        Matcher block = BLOCK.matcher(new String(bytes(file), StandardCharsets.ISO_8859_1));
        while (block.find()) {
            switch (block.group(1)) {
                case "PRIVATE KEY" -> {
                    return key(file, new PKCS8EncodedKeySpec(decode(file, block)));
                }
                case "ENCRYPTED PRIVATE KEY" -> {
                    return key(file, decrypt(file, decode(file, block), password));
                }
                case "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY" ->
                    throw new AccessException(file + " holds a key in an older form; write it anew with: openssl pkcs8"
                            + " -topk8 -nocrypt -in " + file + " -out NEW");
                default -> {
                    // Parameters of a curve, or a certificate in the same file.
                }
            }
        }
        throw new AccessException(file + " holds no private key (-----BEGIN PRIVATE KEY-----)");
    }

    private static PKCS8EncodedKeySpec decrypt(Path file, byte[] bytes, @Nullable Secret password)
            throws GeneralSecurityException, IOException {
        if (password == null) {
            throw new AccessException(file + " is encrypted; tls.password must say its password");
        }
        EncryptedPrivateKeyInfo encrypted = new EncryptedPrivateKeyInfo(bytes);
        PBEKeySpec spec = new PBEKeySpec(characters(password));
        try {
            // PBES2 is called by its parameters.
            String algorithm = encrypted.getAlgName().equals("PBES2")
                    ? String.valueOf(encrypted.getAlgParameters())
                    : encrypted.getAlgName();
            return encrypted.getKeySpec(SecretKeyFactory.getInstance(algorithm).generateSecret(spec));
        } catch (GeneralSecurityException e) {
            throw new AccessException(
                    file + " can't be decrypted: the password is wrong, or this Java does not know how", e);
        } finally {
            spec.clearPassword();
        }
    }

    private static PrivateKey key(Path file, PKCS8EncodedKeySpec spec) throws GeneralSecurityException {
        for (String algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(spec);
            } catch (InvalidKeySpecException e) {
                continue;
            }
        }
        throw new AccessException(file + " holds a key that is not RSA, EC, Ed25519 or Ed448");
    }

    private static byte[] decode(Path file, Matcher block) {
        try {
            return Base64.getMimeDecoder().decode(block.group(2));
        } catch (IllegalArgumentException e) {
            throw new AccessException(file + " holds a block that is not Base64", e);
        }
    }
}
