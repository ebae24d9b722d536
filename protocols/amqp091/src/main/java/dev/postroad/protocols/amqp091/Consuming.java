package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Command;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.Reply;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.runtime.Connections.ConsumerDetails;
import dev.postroad.protocols.amqp091.codec.BasicMethod;
import dev.postroad.protocols.amqp091.codec.BasicProperties;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import dev.postroad.security.Permission.Action;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A channel's consumers, and what they hold unacknowledged. */
final class Consuming {
    private static final Command.Outcome REQUEUE = new Command.Outcome.Release(0, null, true);
    private static final Unacknowledged.Visitor<Consumer> ACKNOWLEDGE =
            (consumer, number, tag) -> consumer.acknowledge(number);
    private static final Command.Outcome REJECT = new Command.Outcome.DeadLetter("rejected");

    private final AmqpChannel channel;
    private final AmqpConnection connection;
    private final Map<String, Consumer> consumers = new LinkedHashMap<>();
    private final Unacknowledged<Consumer> unacknowledged = new Unacknowledged<>();
    private final Set<Consumer> heldBack = new LinkedHashSet<>();
    private int prefetch;

    /** Deliveries that all consumers of the channel may hold together; 0 for no such bound. */
    private volatile int sharedPrefetch;

    /** Those that are held, or promised to be taken. */
    private final AtomicInteger shared = new AtomicInteger();

    private volatile boolean sharedStarved;
    private @Nullable String replies;
    private @Nullable String repliesTag;

    Consuming(AmqpChannel channel) {
        this.channel = channel;
        this.connection = channel.connection();
    }

    Unacknowledged<Consumer> unacknowledged() {
        return unacknowledged;
    }

    int prefetch() {
        return prefetch;
    }

    int sharedPrefetch() {
        return sharedPrefetch;
    }

    /** What operators see of the consumers. */
    List<ConsumerDetails> details() {
        return consumers.values().stream().map(Consumer::details).toList();
    }

    void method(BasicMethod method) {
        switch (method) {
            case BasicMethod.Ack ack -> acknowledge(ack.deliveryTag(), ack.multiple());
            case BasicMethod.Nack nack -> refuse(nack.deliveryTag(), nack.multiple(), nack.requeue());
            case BasicMethod.Reject reject -> refuse(reject.deliveryTag(), false, reject.requeue());
            case BasicMethod.Qos qos -> qos(qos);
            case BasicMethod.Consume consume -> consume(consume);
            case BasicMethod.Cancel cancel -> cancel(cancel);
            case BasicMethod.Get get -> get(get);
            case BasicMethod.CancelOk ok -> {}
            case BasicMethod.Recover recover -> recover(recover.requeue(), true);
            case BasicMethod.RecoverAsync recover -> recover(recover.requeue(), false);
            default -> throw AmqpChannel.unexpected(method);
        }
    }

    // ── Consumers ────────────────────────────────────────────────────────────────────────────────────────────────────

    private void qos(BasicMethod.Qos qos) {
        if (qos.prefetchSize() != 0) {
            throw new AmqpException(ReplyCode.NOT_IMPLEMENTED, "prefetch_size!=0 (" + qos.prefetchSize() + ")");
        }
        if (qos.global()) {
            sharedPrefetch = qos.prefetchCount();
            feed();
        } else {
            prefetch = qos.prefetchCount();
        }
        channel.write(new BasicMethod.QosOk());
    }

    /** By the thread that runs the engine: one more of what the channel's consumers share. False if that is all in use. */
    boolean reserveShared(Consumer consumer) {
        if (reservedShared()) {
            return true;
        }
        consumer.starve();
        sharedStarved = true;
        // What was acknowledged meanwhile has not seen that somebody starves.
        return reservedShared();
    }

    private boolean reservedShared() {
        int most = sharedPrefetch;
        if (shared.incrementAndGet() <= most || most == 0) {
            return true;
        }
        shared.decrementAndGet();
        return false;
    }

    void unreserveShared(int count) {
        shared.addAndGet(-count);
    }

    /** Consumers that were refused a message get it now. */
    void feed() {
        sharedStarved = false;
        consumers.values().forEach(Consumer::feed);
    }

    private void consume(BasicMethod.Consume consume) {
        String tag = consume.consumerTag().isEmpty() ? Topology.unique("amq.ctag-") : consume.consumerTag();
        if (consumers.containsKey(tag) || tag.equals(repliesTag)) {
            throw new AmqpException(ReplyCode.NOT_ALLOWED, "attempt to reuse consumer tag '" + tag + "'");
        }
        if (consume.queue().equals(DirectReplies.QUEUE)) {
            consumeReplies(consume, tag);
            return;
        }
        String queue = channel.topology().queueName(consume.queue());
        Rights.require(channel.rights().queue(Action.READ, queue));
        String inEngine = channel.virtualHost().inEngine(queue);
        ConsumeArguments arguments = ConsumeArguments.read(consume.arguments());
        boolean windowed = consume.noAck() || prefetch == 0;
        Consumer consumer = new Consumer(channel, tag, queue, consume.noAck(), windowed);
        consumer.asked(consume.exclusive(), prefetch, arguments.priority(), consume.arguments());
        consumers.put(tag, consumer);
        Command.ConsumerSettings settings = new Command.ConsumerSettings(
                windowed ? Consumer.WINDOW : prefetch,
                !windowed,
                consume.noAck(),
                consume.exclusive(),
                arguments.priority(),
                -1,
                consume.noLocal() ? connection.others() : null,
                connection,
                tag,
                start(inEngine, queue, arguments, consume.noAck()));
        connection.<Long>ask(
                channel,
                reply -> new Command.Subscribe(inEngine, null, settings, consumer, reply),
                id -> {
                    consumer.begun(id);
                    if (!consume.noWait()) {
                        channel.write(new BasicMethod.ConsumeOk(tag));
                    }
                    consumer.told();
                },
                refused -> {
                    consumers.remove(tag);
                    throw channel.topology().refusal(queue, refused, ReplyCode.ACCESS_REFUSED, "in exclusive use");
                });
    }

    /** Where a consumer of a stream begins; null for queues. */
    private Command.@Nullable Start start(String inEngine, String queue, ConsumeArguments arguments, boolean noAck) {
        boolean stream = connection.server.broker.definition(inEngine) instanceof StreamDefinition;
        if (!stream) {
            if (arguments.start() != null) {
                throw ConsumeArguments.refused("x-stream-offset", "queue '" + queue + "' is no stream");
            }
            return null;
        }
        if (noAck) {
            channel.topology().refuseStream("automatic acknowledgement", queue);
        }
        if (prefetch == 0) {
            throw new AmqpException(
                    ReplyCode.PRECONDITION_FAILED,
                    "consumer prefetch count is not set for 'queue '" + queue + "' in vhost '"
                            + channel.virtualHost().name() + "''");
        }
        return arguments.start() == null ? new Command.Start.Latest() : arguments.start();
    }

    private void cancel(BasicMethod.Cancel cancel) {
        String tag = cancel.consumerTag();
        if (tag.equals(repliesTag)) {
            forgetReplies();
        }
        Consumer consumer = consumers.remove(tag);
        Runnable ok = () -> {
            if (!cancel.noWait()) {
                channel.write(new BasicMethod.CancelOk(tag));
            }
        };
        if (consumer == null) {
            ok.run();
            return;
        }
        heldBack.remove(consumer);
        connection.<Integer>ask(
                channel,
                reply -> new Command.Unsubscribe(consumer.id(), false, reply),
                back -> ok.run(),
                refused -> ok.run());
    }

    /** Its queue has gone. */
    void cancelled(Consumer consumer) {
        if (consumers.remove(consumer.tag(), consumer) && !channel.ended()) {
            consumer.end();
            heldBack.remove(consumer);
            if (connection.handshake().clientCan("consumer_cancel_notify")) {
                channel.write(new BasicMethod.Cancel(consumer.tag(), true));
            }
        }
    }

    /** The consumer without a prefetch may have more, as long as the channel does not hold too much. */
    void moveWindow(Consumer consumer) {
        if (unacknowledged.count() < connection.server.settings().maxUnacknowledged()) {
            consumer.credit();
        } else {
            heldBack.add(consumer);
        }
    }

    /** After acknowledgements: what they made room for may come. */
    private void releaseHeldBack(int before) {
        int settled = before - unacknowledged.count();
        if (settled > 0) {
            unreserveShared(settled);
            if (sharedStarved) {
                feed();
            }
        }
        if (!heldBack.isEmpty()
                && unacknowledged.count() < connection.server.settings().maxUnacknowledged()) {
            heldBack.forEach(Consumer::credit);
            heldBack.clear();
        }
    }

    // ── Without a consumer ───────────────────────────────────────────────────────────────────────────────────────────

    /** What stands for the engine's consumer under which this channel holds what it got from a queue. */
    private final Map<String, Consumer> getters = new LinkedHashMap<>();

    private void get(BasicMethod.Get get) {
        if (get.queue().equals(DirectReplies.QUEUE)) {
            throw new AmqpException(
                    ReplyCode.PRECONDITION_FAILED, "replies are consumed, and not got one by one, from " + get.queue());
        }
        String queue = channel.topology().queueName(get.queue());
        Rights.require(channel.rights().queue(Action.READ, queue));
        String inEngine = channel.virtualHost().inEngine(queue);
        channel.topology().refuseStream("basic.get", queue);
        connection.<Command.Got>ask(
                channel,
                reply -> new Command.Get(inEngine, get.noAck(), connection, this, reply),
                got -> {
                    EngineDelivery delivery = got.delivery();
                    if (delivery == null) {
                        channel.write(new BasicMethod.GetEmpty(""));
                    } else if (!channel.ended()) {
                        write(get, queue, delivery, got.ready());
                    }
                },
                refused -> {
                    throw channel.topology().refusal(queue, refused, ReplyCode.ACCESS_REFUSED, "in exclusive use");
                });
    }

    private void write(BasicMethod.Get get, String queue, EngineDelivery delivery, long ready) {
        long tag;
        if (get.noAck()) {
            tag = unacknowledged.skip();
        } else {
            Consumer getter = getters.get(queue);
            if (getter == null || getter.id() != delivery.consumerId()) {
                getter = new Consumer(channel, "", queue, false, false);
                getter.begun(delivery.consumerId());
                getters.put(queue, getter);
            }
            shared.incrementAndGet();
            tag = unacknowledged.add(getter, delivery.number());
        }
        channel.write(new BasicMethod.GetOk(
                tag,
                delivery.attempt() > 1,
                Routed.exchange(delivery, channel.virtualHost()),
                Routed.routingKey(delivery, channel.virtualHost(), queue),
                ready));
        connection
                .output()
                .content(
                        channel.number(),
                        MessageMapping.toAmqp(delivery.message(), channel.virtualHost()),
                        delivery.message().payload());
    }

    // ── Direct reply-to ──────────────────────────────────────────────────────────────────────────────────────────────

    private void consumeReplies(BasicMethod.Consume consume, String tag) {
        if (!consume.noAck()) {
            throw new AmqpException(ReplyCode.PRECONDITION_FAILED, "reply consumer cannot acknowledge");
        }
        if (replies != null) {
            throw new AmqpException(ReplyCode.PRECONDITION_FAILED, "reply consumer already set");
        }
        replies = connection.server.directReplies().register(new DirectReplies.Requester(channel, tag));
        repliesTag = tag;
        if (!consume.noWait()) {
            channel.write(new BasicMethod.ConsumeOk(tag));
        }
    }

    private void forgetReplies() {
        String name = replies;
        if (name != null) {
            connection.server.directReplies().forget(name);
            replies = null;
            repliesTag = null;
        }
    }

    /** The properties with the name that replies to this channel are published to. */
    BasicProperties withDirectReply(BasicProperties p) {
        String name = replies;
        if (name == null) {
            throw new AmqpException(ReplyCode.PRECONDITION_FAILED, "fast reply consumer does not exist");
        }
        return new BasicProperties(
                p.contentType(),
                p.contentEncoding(),
                p.headers(),
                p.deliveryMode(),
                p.priority(),
                p.correlationId(),
                name,
                p.expiration(),
                p.messageId(),
                p.timestamp(),
                p.type(),
                p.userId(),
                p.appId(),
                p.clusterId());
    }

    // ── Acknowledgements ─────────────────────────────────────────────────────────────────────────────────────────────

    private void acknowledge(long tag, boolean multiple) {
        int before = unacknowledged.count();
        Transaction open = channel.transaction();
        take(tag, multiple, open == null ? ACKNOWLEDGE : open::acknowledge);
        releaseHeldBack(before);
    }

    private void refuse(long tag, boolean multiple, boolean requeue) {
        Command.Outcome outcome = requeue ? REQUEUE : REJECT;
        int before = unacknowledged.count();
        Transaction open = channel.transaction();
        if (open != null) {
            take(tag, multiple, (consumer, number, t) -> open.settle(consumer, number, t, outcome));
        } else {
            Batches batches = new Batches();
            take(tag, multiple, batches::add);
            connection.handOver();
            batches.settle(outcome);
        }
        releaseHeldBack(before);
    }

    private void take(long tag, boolean multiple, Unacknowledged.Visitor<Consumer> visitor) {
        if (multiple && tag == 0) {
            unacknowledged.takeAll(visitor);
            return;
        }
        if (!unacknowledged.has(tag)) {
            throw new AmqpException(ReplyCode.PRECONDITION_FAILED, "unknown delivery tag " + tag);
        }
        if (multiple) {
            unacknowledged.takeUpTo(tag, visitor);
        } else {
            unacknowledged.take(tag, visitor);
        }
    }

    private void recover(boolean requeue, boolean answer) {
        if (!requeue) {
            throw new AmqpException(ReplyCode.NOT_IMPLEMENTED, "requeue=false");
        }
        int before = unacknowledged.count();
        Batches batches = new Batches();
        unacknowledged.takeAll(batches::add);
        connection.handOver();
        batches.settle(REQUEUE);
        releaseHeldBack(before);
        if (answer) {
            channel.write(new BasicMethod.RecoverOk());
        }
    }

    /** Deliveries by their consumer. */
    static final class Batches {
        private final Map<Consumer, List<Long>> numbers = new LinkedHashMap<>();

        void add(Consumer consumer, long number, long tag) {
            numbers.computeIfAbsent(consumer, c -> new ArrayList<>()).add(number);
        }

        void settle(Command.Outcome outcome) {
            numbers.forEach((consumer, list) ->
                    consumer.settle(list.stream().mapToLong(Long::longValue).toArray(), outcome));
        }
    }

    // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** All consumers end, and what they hold goes back. */
    void end(Runnable then) {
        forgetReplies();
        Set<Consumer> all = new LinkedHashSet<>(consumers.values());
        all.addAll(getters.values());
        getters.clear();
        unacknowledged.takeAll((consumer, number, tag) -> all.add(consumer));
        Transaction open = channel.transaction();
        if (open != null) {
            all.addAll(open.consumers());
        }
        consumers.clear();
        heldBack.clear();
        connection.handOver();
        Consumer last = null;
        for (Consumer consumer : all) {
            consumer.end();
            if (last != null) {
                connection.submit(new Command.Unsubscribe(last.id(), true, Reply.ignored()));
            }
            last = consumer;
        }
        if (last == null) {
            then.run();
            return;
        }
        long id = last.id();
        java.util.function.Consumer<EngineException> refused = e -> then.run();
        connection.<Integer>ask(null, reply -> new Command.Unsubscribe(id, true, reply), back -> then.run(), refused);
    }

    /** The connection ends, and takes them with it. */
    void gone() {
        forgetReplies();
        consumers.values().forEach(Consumer::end);
        consumers.clear();
        heldBack.clear();
    }
}
