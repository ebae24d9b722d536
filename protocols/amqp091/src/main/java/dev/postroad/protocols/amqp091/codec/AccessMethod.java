package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;

/** Tickets of AMQP 0-8, which old clients still ask for. */
public sealed interface AccessMethod extends Method {
    /** Asks for a ticket. */
    record Request(String realm, boolean exclusive, boolean passive, boolean active, boolean write, boolean read)
            implements AccessMethod {
        /** Class and method. */
        public static final int ID = (30 << 16) | 10;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeShortString(out, realm);
            out.writeByte(
                    (exclusive ? 1 : 0) | (passive ? 2 : 0) | (active ? 4 : 0) | (write ? 8 : 0) | (read ? 16 : 0));
        }
    }

    /** A ticket. */
    record RequestOk(int ticket) implements AccessMethod {
        /** Class and method. */
        public static final int ID = (30 << 16) | 11;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
        }
    }

    /** The method with this id; null if this class has none such. */
    static @org.jspecify.annotations.Nullable Method read(int id, ArgumentReader in) {
        return switch (id) {
            case Request.ID ->
                new Request(
                        in.readShortString(),
                        in.readBit(0),
                        in.readBit(1),
                        in.readBit(2),
                        in.readBit(3),
                        in.readBit(4));
            case RequestOk.ID -> new RequestOk(in.readUnsignedShort());
            default -> null;
        };
    }
}
