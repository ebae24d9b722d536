package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Queues and their bindings. */
public sealed interface QueueMethod extends Method {
    /** Makes sure that a queue exists. */
    record Declare(
            int ticket,
            String queue,
            boolean passive,
            boolean durable,
            boolean exclusive,
            boolean autoDelete,
            boolean noWait,
            Map<String, @Nullable Object> arguments)
            implements QueueMethod {
        /** Class and method. */
        public static final int ID = (50 << 16) | 10;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, queue);
            out.writeByte((passive ? 1 : 0)
                    | (durable ? 2 : 0)
                    | (exclusive ? 4 : 0)
                    | (autoDelete ? 8 : 0)
                    | (noWait ? 16 : 0));
            FieldTable.write(out, arguments);
        }
    }

    /** It exists, with so many messages ready and so many consumers. */
    record DeclareOk(String queue, long messageCount, long consumerCount) implements QueueMethod {
        /** Class and method. */
        public static final int ID = (50 << 16) | 11;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeShortString(out, queue);
            out.writeInt((int) messageCount);
            out.writeInt((int) consumerCount);
        }
    }

    /** Binds a queue to an exchange. */
    record Bind(
            int ticket,
            String queue,
            String exchange,
            String routingKey,
            boolean noWait,
            Map<String, @Nullable Object> arguments)
            implements QueueMethod {
        /** Class and method. */
        public static final int ID = (50 << 16) | 20;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, queue);
            Fields.writeShortString(out, exchange);
            Fields.writeShortString(out, routingKey);
            out.writeByte(noWait ? 1 : 0);
            FieldTable.write(out, arguments);
        }
    }

    /** It is bound. */
    record BindOk() implements QueueMethod {
        /** Class and method. */
        public static final int ID = (50 << 16) | 21;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** Drops the messages that nobody holds. */
    record Purge(int ticket, String queue, boolean noWait) implements QueueMethod {
        /** Class and method. */
        public static final int ID = (50 << 16) | 30;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, queue);
            out.writeByte(noWait ? 1 : 0);
        }
    }

    /** So many went. */
    record PurgeOk(long messageCount) implements QueueMethod {
        /** Class and method. */
        public static final int ID = (50 << 16) | 31;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeInt((int) messageCount);
        }
    }

    /** Deletes a queue. */
    record Delete(int ticket, String queue, boolean ifUnused, boolean ifEmpty, boolean noWait) implements QueueMethod {
        /** Class and method. */
        public static final int ID = (50 << 16) | 40;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, queue);
            out.writeByte((ifUnused ? 1 : 0) | (ifEmpty ? 2 : 0) | (noWait ? 4 : 0));
        }
    }

    /** It went with so many messages. */
    record DeleteOk(long messageCount) implements QueueMethod {
        /** Class and method. */
        public static final int ID = (50 << 16) | 41;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeInt((int) messageCount);
        }
    }

    /** Removes a binding. */
    record Unbind(int ticket, String queue, String exchange, String routingKey, Map<String, @Nullable Object> arguments)
            implements QueueMethod {
        /** Class and method. */
        public static final int ID = (50 << 16) | 50;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, queue);
            Fields.writeShortString(out, exchange);
            Fields.writeShortString(out, routingKey);
            FieldTable.write(out, arguments);
        }
    }

    /** It is removed. */
    record UnbindOk() implements QueueMethod {
        /** Class and method. */
        public static final int ID = (50 << 16) | 51;

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
            case Declare.ID ->
                new Declare(
                        in.readUnsignedShort(),
                        in.readShortString(),
                        in.readBit(0),
                        in.readBit(1),
                        in.readBit(2),
                        in.readBit(3),
                        in.readBit(4),
                        in.readTable());
            case DeclareOk.ID -> new DeclareOk(in.readShortString(), in.readUnsignedInt(), in.readUnsignedInt());
            case Bind.ID ->
                new Bind(
                        in.readUnsignedShort(),
                        in.readShortString(),
                        in.readShortString(),
                        in.readShortString(),
                        in.readBit(0),
                        in.readTable());
            case BindOk.ID -> new BindOk();
            case Purge.ID -> new Purge(in.readUnsignedShort(), in.readShortString(), in.readBit(0));
            case PurgeOk.ID -> new PurgeOk(in.readUnsignedInt());
            case Delete.ID ->
                new Delete(in.readUnsignedShort(), in.readShortString(), in.readBit(0), in.readBit(1), in.readBit(2));
            case DeleteOk.ID -> new DeleteOk(in.readUnsignedInt());
            case Unbind.ID ->
                new Unbind(
                        in.readUnsignedShort(),
                        in.readShortString(),
                        in.readShortString(),
                        in.readShortString(),
                        in.readTable());
            case UnbindOk.ID -> new UnbindOk();
            default -> null;
        };
    }
}
