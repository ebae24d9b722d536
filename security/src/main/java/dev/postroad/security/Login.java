package dev.postroad.security;

/** The answer to credentials. */
public sealed interface Login {

    /** The peer is that user. */
    record Accepted(User user) implements Login {}

    /**
     * The peer may not come in.
     *
     * @param reason for the log and the peer; it tells neither secrets nor whether a user exists
     */
    record Refused(String reason) implements Login {}
}
