package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;

/** RabbitMQ: publisher confirms. */
public sealed interface ConfirmMethod extends Method {
    /** RabbitMQ: publishes on this channel are confirmed from now on. */
    record Select(boolean noWait) implements ConfirmMethod {
        /** Class and method. */
        public static final int ID = (85 << 16) | 10;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeByte(noWait ? 1 : 0);
        }
    }

    /** RabbitMQ: they are. */
    record SelectOk() implements ConfirmMethod {
        /** Class and method. */
        public static final int ID = (85 << 16) | 11;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** The method with this id; null if this class has none such. */
    static @org.jspecify.annotations.Nullable Method read(int id, ArgumentReader in) {
        return switch (id) {
            case Select.ID -> new Select(in.readBit(0));
            case SelectOk.ID -> new SelectOk();
            default -> null;
        };
    }
}
