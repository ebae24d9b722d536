package dev.postroad.security;

import java.net.InetAddress;
import java.security.cert.X509Certificate;
import org.jspecify.annotations.Nullable;

/**
 * The other end of a connection.
 *
 * @param address where it comes from
 * @param encrypted whether the connection is TLS
 * @param certificate the client certificate that the TLS handshake verified; null if there is none
 */
public record Peer(
        InetAddress address, boolean encrypted, @Nullable X509Certificate certificate) {

    /** A peer on a connection without TLS. */
    public static Peer plain(InetAddress address) {
        return new Peer(address, false, null);
    }

    public boolean isLoopback() {
        return address.isLoopbackAddress();
    }
}
