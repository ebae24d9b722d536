package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Messages. */
public sealed interface BasicMethod extends Method {
    /** How much may be delivered without an acknowledgement. */
    record Qos(long prefetchSize, int prefetchCount, boolean global) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 10;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeInt((int) prefetchSize);
            out.writeShort(prefetchCount);
            out.writeByte(global ? 1 : 0);
        }
    }

    /** It holds. */
    record QosOk() implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 11;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** Begins to consume a queue. */
    record Consume(
            int ticket,
            String queue,
            String consumerTag,
            boolean noLocal,
            boolean noAck,
            boolean exclusive,
            boolean noWait,
            Map<String, @Nullable Object> arguments)
            implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 20;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, queue);
            Fields.writeShortString(out, consumerTag);
            out.writeByte((noLocal ? 1 : 0) | (noAck ? 2 : 0) | (exclusive ? 4 : 0) | (noWait ? 8 : 0));
            FieldTable.write(out, arguments);
        }
    }

    /** It has begun. */
    record ConsumeOk(String consumerTag) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 21;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeShortString(out, consumerTag);
        }
    }

    /** Ends a consumer; sent by the server where its queue has gone. */
    record Cancel(String consumerTag, boolean noWait) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 30;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeShortString(out, consumerTag);
            out.writeByte(noWait ? 1 : 0);
        }
    }

    /** It has ended. */
    record CancelOk(String consumerTag) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 31;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeShortString(out, consumerTag);
        }
    }

    /** Publishes the content that follows. */
    record Publish(int ticket, String exchange, String routingKey, boolean mandatory, boolean immediate)
            implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 40;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, exchange);
            Fields.writeShortString(out, routingKey);
            out.writeByte((mandatory ? 1 : 0) | (immediate ? 2 : 0));
        }
    }

    /** Brings back a message that could not be routed; its content follows. */
    record Return(int replyCode, String replyText, String exchange, String routingKey) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 50;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(replyCode);
            Fields.writeShortString(out, replyText);
            Fields.writeShortString(out, exchange);
            Fields.writeShortString(out, routingKey);
        }
    }

    /** Delivers the content that follows to a consumer. */
    record Deliver(String consumerTag, long deliveryTag, boolean redelivered, String exchange, String routingKey)
            implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 60;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeShortString(out, consumerTag);
            out.writeLong(deliveryTag);
            out.writeByte(redelivered ? 1 : 0);
            Fields.writeShortString(out, exchange);
            Fields.writeShortString(out, routingKey);
        }
    }

    /** Asks for one message. */
    record Get(int ticket, String queue, boolean noAck) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 70;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeShort(ticket);
            Fields.writeShortString(out, queue);
            out.writeByte(noAck ? 1 : 0);
        }
    }

    /** Brings it; its content follows. */
    record GetOk(long deliveryTag, boolean redelivered, String exchange, String routingKey, long messageCount)
            implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 71;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeLong(deliveryTag);
            out.writeByte(redelivered ? 1 : 0);
            Fields.writeShortString(out, exchange);
            Fields.writeShortString(out, routingKey);
            out.writeInt((int) messageCount);
        }
    }

    /** There is none. */
    record GetEmpty(String reserved1) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 72;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            Fields.writeShortString(out, reserved1);
        }
    }

    /** Acknowledges a delivery or, by the server, a publish. */
    record Ack(long deliveryTag, boolean multiple) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 80;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeLong(deliveryTag);
            out.writeByte(multiple ? 1 : 0);
        }
    }

    /** Refuses a delivery. */
    record Reject(long deliveryTag, boolean requeue) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 90;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeLong(deliveryTag);
            out.writeByte(requeue ? 1 : 0);
        }
    }

    /** As recover, unanswered. */
    record RecoverAsync(boolean requeue) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 100;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeByte(requeue ? 1 : 0);
        }
    }

    /** Has everything unacknowledged delivered again. */
    record Recover(boolean requeue) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 110;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeByte(requeue ? 1 : 0);
        }
    }

    /** It will be. */
    record RecoverOk() implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 111;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** RabbitMQ: refuses deliveries or, by the server, publishes. */
    record Nack(long deliveryTag, boolean multiple, boolean requeue) implements BasicMethod {
        /** Class and method. */
        public static final int ID = (60 << 16) | 120;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {
            out.writeLong(deliveryTag);
            out.writeByte((multiple ? 1 : 0) | (requeue ? 2 : 0));
        }
    }

    /** The method with this id; null if this class has none such. */
    static @Nullable Method read(int id, ArgumentReader in) {
        return switch (id) {
            case Qos.ID -> new Qos(in.readUnsignedInt(), in.readUnsignedShort(), in.readBit(0));
            case QosOk.ID -> new QosOk();
            case Consume.ID ->
                new Consume(
                        in.readUnsignedShort(),
                        in.readShortString(),
                        in.readShortString(),
                        in.readBit(0),
                        in.readBit(1),
                        in.readBit(2),
                        in.readBit(3),
                        in.readTable());
            case ConsumeOk.ID -> new ConsumeOk(in.readShortString());
            case Cancel.ID -> new Cancel(in.readShortString(), in.readBit(0));
            case CancelOk.ID -> new CancelOk(in.readShortString());
            case Publish.ID ->
                new Publish(
                        in.readUnsignedShort(),
                        in.readShortString(),
                        in.readShortString(),
                        in.readBit(0),
                        in.readBit(1));
            case Return.ID ->
                new Return(in.readUnsignedShort(), in.readShortString(), in.readShortString(), in.readShortString());
            case Deliver.ID ->
                new Deliver(
                        in.readShortString(), in.readLong(), in.readBit(0), in.readShortString(), in.readShortString());
            case Get.ID -> new Get(in.readUnsignedShort(), in.readShortString(), in.readBit(0));
            case GetOk.ID ->
                new GetOk(
                        in.readLong(), in.readBit(0), in.readShortString(), in.readShortString(), in.readUnsignedInt());
            case GetEmpty.ID -> new GetEmpty(in.readShortString());
            case Ack.ID -> new Ack(in.readLong(), in.readBit(0));
            case Reject.ID -> new Reject(in.readLong(), in.readBit(0));
            case RecoverAsync.ID -> new RecoverAsync(in.readBit(0));
            case Recover.ID -> new Recover(in.readBit(0));
            case RecoverOk.ID -> new RecoverOk();
            case Nack.ID -> new Nack(in.readLong(), in.readBit(0), in.readBit(1));
            default -> null;
        };
    }
}
