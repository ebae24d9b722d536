package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;

/** A method of the specification or of RabbitMQ's extensions. */
public sealed interface Method
        permits ConnectionMethod,
                ChannelMethod,
                AccessMethod,
                ExchangeMethod,
                QueueMethod,
                BasicMethod,
                ConfirmMethod,
                TxMethod {

    /** Class and method: {@code class << 16 | method}. */
    int id();

    /** Writes what comes after class and method. */
    void writeArguments(ByteBuf out);

    /** Writes class, method and arguments. */
    default void write(ByteBuf out) {
        out.writeInt(id());
        writeArguments(out);
    }

    /**
     * Reads the payload of a method frame, and all of it.
     *
     * @throws MalformedException if there is no such method, or the bytes are not its arguments
     */
    static Method read(ArgumentReader in) {
        int id = (int) in.readUnsignedInt();
        Method method = switch (id >>> 16) {
            case 10 -> ConnectionMethod.read(id, in);
            case 20 -> ChannelMethod.read(id, in);
            case 30 -> AccessMethod.read(id, in);
            case 40 -> ExchangeMethod.read(id, in);
            case 50 -> QueueMethod.read(id, in);
            case 60 -> BasicMethod.read(id, in);
            case 85 -> ConfirmMethod.read(id, in);
            case 90 -> TxMethod.read(id, in);
            default -> null;
        };
        if (method == null) {
            throw new MalformedException(
                    ReplyCode.NOT_IMPLEMENTED,
                    "there is no method " + (id & 0xFFFF) + " of class " + (id >>> 16) + " in AMQP 0-9-1");
        }
        if (in.remaining() > 0) {
            throw MalformedException.syntax(
                    in.remaining() + " bytes are left behind the arguments of method " + name(id));
        }
        return method;
    }

    /** Class and method, as error texts name them: {@code 60.40}. */
    static String name(int id) {
        return (id >>> 16) + "." + (id & 0xFFFF);
    }
}
