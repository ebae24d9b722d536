package dev.postroad.protocols.amqp091.codec;

/** Bytes that break the specification; the connection they came by can't go on. */
public final class MalformedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final ReplyCode code;

    /** @param message what was wrong, with the value and the bound */
    public MalformedException(ReplyCode code, String message) {
        super(message, null, false, false);
        this.code = code;
    }

    /** What the connection is to be closed with. */
    public ReplyCode code() {
        return code;
    }

    static MalformedException syntax(String message) {
        return new MalformedException(ReplyCode.SYNTAX_ERROR, message);
    }
}
