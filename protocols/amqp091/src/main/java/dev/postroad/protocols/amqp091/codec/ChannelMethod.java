package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;

/** How a channel begins and ends. */
public sealed interface ChannelMethod extends Method {
    /** Opens the channel. */
    record Open(String reserved1) implements ChannelMethod {
        /** Class and method. */
        public static final int ID = (20 << 16) | 10;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeShortString(out, reserved1);
        }
    }

    /** The channel is open. */
    record OpenOk(byte[] reserved1) implements ChannelMethod {
        /** Class and method. */
        public static final int ID = (20 << 16) | 11;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeLongString(out, reserved1);
        }
    }

    /** Asks the peer to pause or to go on. */
    record Flow(boolean active) implements ChannelMethod {
        /** Class and method. */
        public static final int ID = (20 << 16) | 20;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeByte(active ? 1 : 0);
        }
    }

    /** Confirms what holds. */
    record FlowOk(boolean active) implements ChannelMethod {
        /** Class and method. */
        public static final int ID = (20 << 16) | 21;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeByte(active ? 1 : 0);
        }
    }

    /** Ends the channel, and says why. */
    record Close(int replyCode, String replyText, int classId, int methodId) implements ChannelMethod {
        /** Class and method. */
        public static final int ID = (20 << 16) | 40;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(replyCode);
            Fields.writeShortString(out, replyText);
            out.writeShort(classId);
            out.writeShort(methodId);
        }
    }

    /** Confirms the end. */
    record CloseOk() implements ChannelMethod {
        /** Class and method. */
        public static final int ID = (20 << 16) | 41;

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
            case Open.ID -> new Open(in.readShortString());
            case OpenOk.ID -> new OpenOk(in.readLongString());
            case Flow.ID -> new Flow(in.readBit(0));
            case FlowOk.ID -> new FlowOk(in.readBit(0));
            case Close.ID ->
                new Close(in.readUnsignedShort(), in.readShortString(), in.readUnsignedShort(), in.readUnsignedShort());
            case CloseOk.ID -> new CloseOk();
            default -> null;
        };
    }
}
