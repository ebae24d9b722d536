package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How a connection begins and ends. */
public sealed interface ConnectionMethod extends Method {
    /** The server offers its properties and mechanisms. */
    record Start(
            int versionMajor,
            int versionMinor,
            Map<String, @Nullable Object> serverProperties,
            byte[] mechanisms,
            byte[] locales)
            implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 10;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeByte(versionMajor);
            out.writeByte(versionMinor);
            FieldTable.write(out, serverProperties);
            Fields.writeLongString(out, mechanisms);
            Fields.writeLongString(out, locales);
        }
    }

    /** The client chooses a mechanism and says who it is. */
    record StartOk(Map<String, @Nullable Object> clientProperties, String mechanism, byte[] response, String locale)
            implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 11;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            FieldTable.write(out, clientProperties);
            Fields.writeShortString(out, mechanism);
            Fields.writeLongString(out, response);
            Fields.writeShortString(out, locale);
        }
    }

    /** The server asks for more. */
    record Secure(byte[] challenge) implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 20;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeLongString(out, challenge);
        }
    }

    /** The client answers a challenge. */
    record SecureOk(byte[] response) implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 21;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeLongString(out, response);
        }
    }

    /** The limits that the server proposes; 0 is none. */
    record Tune(int channelMax, long frameMax, int heartbeat) implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 30;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(channelMax);
            out.writeInt((int) frameMax);
            out.writeShort(heartbeat);
        }
    }

    /** The limits that hold. */
    record TuneOk(int channelMax, long frameMax, int heartbeat) implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 31;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(channelMax);
            out.writeInt((int) frameMax);
            out.writeShort(heartbeat);
        }
    }

    /** The virtual host to work in. */
    record Open(String virtualHost, String reserved1, boolean reserved2) implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 40;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeShortString(out, virtualHost);
            Fields.writeShortString(out, reserved1);
            out.writeByte(reserved2 ? 1 : 0);
        }
    }

    /** The connection is open. */
    record OpenOk(String reserved1) implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 41;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeShortString(out, reserved1);
        }
    }

    /** Ends the connection, and says why. */
    record Close(int replyCode, String replyText, int classId, int methodId) implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 50;

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
    record CloseOk() implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 51;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** RabbitMQ: the server reads no publishes for now. */
    record Blocked(String reason) implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 60;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeShortString(out, reason);
        }
    }

    /** RabbitMQ: the server reads on. */
    record Unblocked() implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 61;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** RabbitMQ: other credentials for the same user. */
    record UpdateSecret(byte[] newSecret, String reason) implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 70;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeLongString(out, newSecret);
            Fields.writeShortString(out, reason);
        }
    }

    /** RabbitMQ: they are accepted. */
    record UpdateSecretOk() implements ConnectionMethod {
        /** Class and method. */
        public static final int ID = (10 << 16) | 71;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** The method with this id; null if this class has none such. */
    static @Nullable Method read(int id, ArgumentReader in) {
        return switch (id) {
            case Start.ID ->
                new Start(
                        in.readUnsignedByte(),
                        in.readUnsignedByte(),
                        in.readTable(),
                        in.readLongString(),
                        in.readLongString());
            case StartOk.ID ->
                new StartOk(in.readTable(), in.readShortString(), in.readLongString(), in.readShortString());
            case Secure.ID -> new Secure(in.readLongString());
            case SecureOk.ID -> new SecureOk(in.readLongString());
            case Tune.ID -> new Tune(in.readUnsignedShort(), in.readUnsignedInt(), in.readUnsignedShort());
            case TuneOk.ID -> new TuneOk(in.readUnsignedShort(), in.readUnsignedInt(), in.readUnsignedShort());
            case Open.ID -> new Open(in.readShortString(), in.readShortString(), in.readBit(0));
            case OpenOk.ID -> new OpenOk(in.readShortString());
            case Close.ID ->
                new Close(in.readUnsignedShort(), in.readShortString(), in.readUnsignedShort(), in.readUnsignedShort());
            case CloseOk.ID -> new CloseOk();
            case Blocked.ID -> new Blocked(in.readShortString());
            case Unblocked.ID -> new Unblocked();
            case UpdateSecret.ID -> new UpdateSecret(in.readLongString(), in.readShortString());
            case UpdateSecretOk.ID -> new UpdateSecretOk();
            default -> null;
        };
    }
}
