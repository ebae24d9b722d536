package dev.postroad.security;

import java.util.List;

/** The one user of a broker that has no users yet: {@code guest}, from the loopback address only. */
final class Guest implements Authenticator {
    private static final Credentials.Password EXPECTED = new Credentials.Password("guest", Secret.of("guest"));

    @Override
    public List<String> mechanisms(Peer peer) {
        return peer.isLoopback() ? List.of(PLAIN, AMQPLAIN) : List.of();
    }

    @Override
    public Login login(Credentials credentials, Peer peer) {
        if (!peer.isLoopback()) {
            return new Login.Refused(
                    "no users are configured; until they are, only 'guest' may log in, from this machine");
        }
        return EXPECTED.equals(credentials)
                ? new Login.Accepted(User.GUEST)
                : new Login.Refused("login refused for the name and password given");
    }
}
