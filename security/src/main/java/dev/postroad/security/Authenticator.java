package dev.postroad.security;

import java.util.List;

/**
 * Decides who a peer is. Protocols ask it during their handshake, before they parse anything else.
 *
 * <p>Safe for use by many threads. {@link #login} may take tens of milliseconds of processor time, since passwords are
 * hashed slowly on purpose: never call it on an event loop.
 */
public interface Authenticator {

    /** The SASL mechanism by which name and password come in one response; RFC 4616. */
    String PLAIN = "PLAIN";

    /** AMQP 0-9-1's own, where they come in a field table. */
    String AMQPLAIN = "AMQPLAIN";

    /** The mechanism by which the certificate of the TLS connection says who it is; RFC 4422, appendix A. */
    String EXTERNAL = "EXTERNAL";

    /**
     * The mechanisms by which this peer may log in, the best first; {@link #login} refuses what does not come by one of
     * them. Empty where the peer can't log in at all: nobody is configured that it could be.
     */
    List<String> mechanisms(Peer peer);

    /**
     * Decides. A wrong password, an unknown user and a user who has no password take the same time and are refused with
     * the same reason. A peer whose address failed too often is refused for a while, whatever it sends.
     */
    Login login(Credentials credentials, Peer peer);

    /** Accepts {@code guest} with the password {@code guest} from the loopback address, and nobody else. */
    static Authenticator guestFromLoopback() {
        return new Guest();
    }

    /**
     * Accepts the users of a file; a change of the file counts within a second.
     *
     * @param insecure true to accept passwords also from elsewhere than loopback without TLS, where whoever listens on the
     *     network learns them
     * @throws AccessException if the file can't be used
     */
    static Authenticator users(UsersFile file, boolean insecure) {
        return new UsersAuthenticator(file, insecure, System::nanoTime);
    }
}
