package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Command;
import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Reply;
import dev.postroad.engine.runtime.Connections.ConsumerDetails;
import dev.postroad.protocols.amqp091.codec.BasicMethod;
import dev.postroad.protocols.amqp091.codec.BasicProperties;
import dev.postroad.protocols.amqp091.codec.Fields;
import dev.postroad.protocols.amqp091.codec.Frames;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A consumer of a queue. {@link #deliver}, {@link #flush} and {@link #cancelled} come from the thread that runs the engine; all
 * else happens on the event loop.
 *
 * <p>With a prefetch of its own, settling restores its credit in the engine. Without one, or without acknowledgements, its
 * credit is a window that moves as deliveries are written: what bounds it then is how fast the peer reads.
 */
final class Consumer implements DeliverySink {
    /** Deliveries on their way to a consumer without a prefetch. */
    static final int WINDOW = 1024;

    private static final int MOST_STAGED = 4096;

    private final AmqpChannel channel;
    private final AmqpConnection connection;
    private final String tag;
    private final String queue;
    private final boolean noAck;
    private final boolean windowed;
    private final byte[] prefix;

    /** What came before the client was told that it consumes: no more than the credit it began with. Null once it was. */
    private @Nullable List<EngineDelivery> early = new ArrayList<>();

    private long id;
    private boolean exclusive;
    private int prefetch;
    private int priority;
    private Map<String, Object> arguments = Map.of();
    private int written;
    private boolean ended;

    /** It was refused a message, and gets none until it is fed. */
    private volatile boolean starved;

    private long[] staged = new long[16];
    private int stagedCount;

    Consumer(AmqpChannel channel, String tag, String queue, boolean noAck, boolean windowed) {
        this.channel = channel;
        this.connection = channel.connection();
        this.tag = tag;
        this.queue = queue;
        this.noAck = noAck;
        this.windowed = windowed;
        ByteBuf method = Unpooled.buffer(64);
        method.writeInt(BasicMethod.Deliver.ID);
        Fields.writeShortString(method, tag);
        prefix = new byte[method.readableBytes()];
        method.readBytes(prefix);
    }

    /** What operators see of it. */
    ConsumerDetails details() {
        return new ConsumerDetails(
                tag, channel.virtualHost().inEngine(queue), id, !noAck, exclusive, prefetch, priority, arguments);
    }

    /** What the client asked for besides, for operators. */
    void asked(boolean asksExclusive, int asksPrefetch, int asksPriority, Map<String, @Nullable Object> asksArguments) {
        exclusive = asksExclusive;
        prefetch = asksPrefetch;
        priority = asksPriority;
        arguments = MessageMapping.inEngine(asksArguments);
    }

    String tag() {
        return tag;
    }

    /** The queue's name, as clients say it. */
    String queue() {
        return queue;
    }

    boolean windowed() {
        return windowed;
    }

    long id() {
        return id;
    }

    void begun(long consumerId) {
        id = consumerId;
    }

    /** The client knows: what came meanwhile is written. The engine delivers in the same turn in which it answers. */
    void told() {
        List<EngineDelivery> waiting = early;
        early = null;
        if (waiting != null) {
            waiting.forEach(this::delivered);
        }
    }

    /** What comes from now on is not for the client. */
    void end() {
        ended = true;
    }

    // ── By the thread that runs the engine ───────────────────────────────────────────────────────────────────────────

    private static int bytes(EngineMessage message) {
        byte[] payload = message.payload();
        return (payload == null ? 0 : payload.length) + 256;
    }

    @Override
    public boolean takes(EngineMessage message) {
        int bytes = bytes(message);
        if (!connection.incoming().reserve(bytes)) {
            starved = true;
            return false;
        }
        if (!noAck && !channel.consuming().reserveShared(this)) {
            connection.incoming().unreserve(bytes);
            return false;
        }
        return true;
    }

    @Override
    public void withheld(EngineMessage message) {
        connection.incoming().unreserve(bytes(message));
        if (!noAck) {
            channel.consuming().unreserveShared(1);
        }
    }

    @Override
    public void deliver(EngineDelivery delivery) {
        connection.tell(this, delivery);
    }

    @Override
    public void flush() {
        connection.told();
    }

    @Override
    public void cancelled(String reason) {
        connection.tell(() -> channel.consuming().cancelled(this));
    }

    // ── On the event loop ────────────────────────────────────────────────────────────────────────────────────────────

    void delivered(Object entry) {
        EngineDelivery delivery = (EngineDelivery) entry;
        if (early != null) {
            early.add(delivery);
            return;
        }
        EngineMessage message = delivery.message();
        connection.incoming().unreserve(bytes(message));
        if (ended || channel.ended()) {
            return;
        }
        BasicProperties properties = MessageMapping.toAmqp(delivery, channel.virtualHost());
        Unacknowledged<Consumer> unacknowledged = channel.consuming().unacknowledged();
        long number = noAck ? unacknowledged.skip() : unacknowledged.add(this, delivery.number());
        Output output = connection.output();
        ByteBuf out = output.buffer();
        int at = Frames.begin(out, Frames.METHOD, channel.number());
        out.writeBytes(prefix);
        out.writeLong(number);
        out.writeByte(delivery.attempt() > 1 ? 1 : 0);
        Fields.writeShortString(out, Routed.exchange(delivery, channel.virtualHost()));
        Fields.writeShortString(out, Routed.routingKey(delivery, channel.virtualHost(), queue));
        Frames.end(out, at);
        output.content(channel.number(), properties, message.payload());
        if (windowed && ++written >= WINDOW / 2) {
            channel.consuming().moveWindow(this);
        }
    }

    /** As many more as were written since the last time. */
    void credit() {
        int more = written;
        written = 0;
        if (more > 0 && !ended) {
            connection.submit(new Command.Credit(id, more, Reply.ignored()));
        }
    }

    /** By the thread that runs the engine, or before that: it gets nothing until it is fed. */
    void starve() {
        starved = true;
    }

    /** There is room again. */
    void feed() {
        if (starved && !ended) {
            starved = false;
            connection.submit(new Command.Credit(id, 0, Reply.ignored()));
        }
    }

    /** Stages an acknowledgement; it goes with those of the same read. */
    void acknowledge(long number) {
        if (stagedCount == staged.length) {
            if (stagedCount == MOST_STAGED) {
                settleStaged();
            } else {
                staged = Arrays.copyOf(staged, 2 * stagedCount);
            }
        }
        if (stagedCount == 0) {
            connection.settles(this);
        }
        staged[stagedCount++] = number;
    }

    void settleStaged() {
        if (stagedCount > 0) {
            settle(Arrays.copyOf(staged, stagedCount), Command.Outcome.Acknowledge.INSTANCE);
            stagedCount = 0;
        }
    }

    void settle(long[] numbers, Command.Outcome outcome) {
        connection.submit(new Command.Settle(id, numbers, numbers.length, outcome, Reply.ignored()));
    }
}
