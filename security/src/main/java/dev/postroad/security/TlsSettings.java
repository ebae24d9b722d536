package dev.postroad.security;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The certificate of a server, and whose client certificates it believes.
 *
 * @param certificate PEM file of the server's certificate and those that vouch for it, or a PKCS#12 file ({@code .p12},
 *     {@code .pfx}) that holds the key too
 * @param key PEM file of the private key, PKCS#8; null where the certificate is a PKCS#12 file
 * @param password of the key or the PKCS#12 file; null for none
 * @param clients whether clients show certificates
 * @param trusted PEM or PKCS#12 file of the authorities whose client certificates are believed; null where clients show none
 * @param trustedPassword of a PKCS#12 file of these; null for none
 */
public record TlsSettings(
        Path certificate,
        @Nullable Path key,
        @Nullable Secret password,
        ClientCertificates clients,
        @Nullable Path trusted,
        @Nullable Secret trustedPassword) {

    /** Whether clients show certificates. */
    public enum ClientCertificates {
        /** They are not asked for one. */
        NONE,
        /** Those who have one may show it, and log in by it. */
        OPTIONAL,
        /** Without one the connection ends. */
        REQUIRED
    }

    /** @throws IllegalArgumentException naming what is missing or too much */
    public TlsSettings {
        if (isStore(certificate) == (key != null)) {
            throw new IllegalArgumentException(
                    key == null
                            ? "tls.certificate is a PEM file, so tls.key must name the file of its private key"
                            : "tls.certificate is a PKCS#12 file and holds its key: leave tls.key out");
        }
        if ((clients == ClientCertificates.NONE) != (trusted == null)) {
            throw new IllegalArgumentException(
                    trusted == null
                            ? "tls.client-certificates asks for certificates, so tls.trusted must name a file of the"
                                    + " authorities to believe"
                            : "tls.trusted names authorities, but tls.client-certificates is none: nobody would be asked");
        }
    }

    /** A certificate and its key in PEM files, no client certificates. */
    public static TlsSettings pem(Path certificate, Path key) {
        return new TlsSettings(certificate, key, null, ClientCertificates.NONE, null, null);
    }

    static boolean isStore(Path file) {
        String name = file.toString();
        return name.endsWith(".p12") || name.endsWith(".pfx") || name.endsWith(".pkcs12");
    }
}
