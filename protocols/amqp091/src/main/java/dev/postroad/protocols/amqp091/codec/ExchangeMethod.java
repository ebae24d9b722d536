package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Exchanges and their bindings to one another. */
public sealed interface ExchangeMethod extends Method {
    /** Makes sure that an exchange exists. */
    record Declare(
            int ticket,
            String exchange,
            String type,
            boolean passive,
            boolean durable,
            boolean autoDelete,
            boolean internal,
            boolean noWait,
            Map<String, @Nullable Object> arguments)
            implements ExchangeMethod {
        /** Class and method. */
        public static final int ID = (40 << 16) | 10;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, exchange);
            Fields.writeShortString(out, type);
            out.writeByte((passive ? 1 : 0)
                    | (durable ? 2 : 0)
                    | (autoDelete ? 4 : 0)
                    | (internal ? 8 : 0)
                    | (noWait ? 16 : 0));
            FieldTable.write(out, arguments);
        }
    }

    /** It exists. */
    record DeclareOk() implements ExchangeMethod {
        /** Class and method. */
        public static final int ID = (40 << 16) | 11;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** Deletes an exchange. */
    record Delete(int ticket, String exchange, boolean ifUnused, boolean noWait) implements ExchangeMethod {
        /** Class and method. */
        public static final int ID = (40 << 16) | 20;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, exchange);
            out.writeByte((ifUnused ? 1 : 0) | (noWait ? 2 : 0));
        }
    }

    /** It is gone. */
    record DeleteOk() implements ExchangeMethod {
        /** Class and method. */
        public static final int ID = (40 << 16) | 21;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** RabbitMQ: binds an exchange to another. */
    record Bind(
            int ticket,
            String destination,
            String source,
            String routingKey,
            boolean noWait,
            Map<String, @Nullable Object> arguments)
            implements ExchangeMethod {
        /** Class and method. */
        public static final int ID = (40 << 16) | 30;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, destination);
            Fields.writeShortString(out, source);
            Fields.writeShortString(out, routingKey);
            out.writeByte(noWait ? 1 : 0);
            FieldTable.write(out, arguments);
        }
    }

    /** RabbitMQ: it is bound. */
    record BindOk() implements ExchangeMethod {
        /** Class and method. */
        public static final int ID = (40 << 16) | 31;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** RabbitMQ: removes such a binding. */
    record Unbind(
            int ticket,
            String destination,
            String source,
            String routingKey,
            boolean noWait,
            Map<String, @Nullable Object> arguments)
            implements ExchangeMethod {
        /** Class and method. */
        public static final int ID = (40 << 16) | 40;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, destination);
            Fields.writeShortString(out, source);
            Fields.writeShortString(out, routingKey);
            out.writeByte(noWait ? 1 : 0);
            FieldTable.write(out, arguments);
        }
    }

    /** RabbitMQ: it is removed. */
    record UnbindOk() implements ExchangeMethod {
        /** Class and method. */
        public static final int ID = (40 << 16) | 51;

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
                        in.readShortString(),
                        in.readBit(0),
                        in.readBit(1),
                        in.readBit(2),
                        in.readBit(3),
                        in.readBit(4),
                        in.readTable());
            case DeclareOk.ID -> new DeclareOk();
            case Delete.ID -> new Delete(in.readUnsignedShort(), in.readShortString(), in.readBit(0), in.readBit(1));
            case DeleteOk.ID -> new DeleteOk();
            case Bind.ID ->
                new Bind(
                        in.readUnsignedShort(),
                        in.readShortString(),
                        in.readShortString(),
                        in.readShortString(),
                        in.readBit(0),
                        in.readTable());
            case BindOk.ID -> new BindOk();
            case Unbind.ID ->
                new Unbind(
                        in.readUnsignedShort(),
                        in.readShortString(),
                        in.readShortString(),
                        in.readShortString(),
                        in.readBit(0),
                        in.readTable());
            case UnbindOk.ID -> new UnbindOk();
            default -> null;
        };
    }
}
