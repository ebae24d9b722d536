package dev.postroad.protocols.amqp091.codec;

/** The specification's reply codes, with the names that error texts begin with. */
public enum ReplyCode {
    REPLY_SUCCESS(200, false),
    CONTENT_TOO_LARGE(311, false),
    NO_ROUTE(312, false),
    NO_CONSUMERS(313, false),
    ACCESS_REFUSED(403, false),
    NOT_FOUND(404, false),
    RESOURCE_LOCKED(405, false),
    PRECONDITION_FAILED(406, false),
    CONNECTION_FORCED(320, true),
    INVALID_PATH(402, true),
    FRAME_ERROR(501, true),
    SYNTAX_ERROR(502, true),
    COMMAND_INVALID(503, true),
    CHANNEL_ERROR(504, true),
    UNEXPECTED_FRAME(505, true),
    RESOURCE_ERROR(506, true),
    NOT_ALLOWED(530, true),
    NOT_IMPLEMENTED(540, true),
    INTERNAL_ERROR(541, true);

    private final int code;
    private final boolean endsConnection;

    ReplyCode(int code, boolean endsConnection) {
        this.code = code;
        this.endsConnection = endsConnection;
    }

    /** The number in close methods. */
    public int code() {
        return code;
    }

    /** True if it ends the connection, false if the channel alone. */
    public boolean endsConnection() {
        return endsConnection;
    }
}
