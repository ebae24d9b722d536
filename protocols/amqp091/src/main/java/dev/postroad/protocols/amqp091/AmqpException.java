package dev.postroad.protocols.amqp091;

import dev.postroad.protocols.amqp091.codec.ReplyCode;

/** What a client did wrong, as the close method tells it: ends its channel, or its connection where the code says so. */
final class AmqpException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final ReplyCode code;

    AmqpException(ReplyCode code, String what) {
        super(what, null, false, false);
        this.code = code;
    }

    ReplyCode code() {
        return code;
    }

    /** The reply text, in RabbitMQ's form: the name of the code, then what was wrong. */
    static String replyText(ReplyCode code, String what) {
        return code.name() + " - " + what;
    }
}
