package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Command;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.Reply;
import dev.postroad.protocols.amqp091.codec.BasicMethod;
import dev.postroad.protocols.amqp091.codec.BasicProperties;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A channel's consumers, and what they hold unacknowledged. */
final class Consuming {
    private static final Command.Outcome REQUEUE = new Command.Outcome.Release(0, null, true);
    private static final Unacknowledged.Visitor ACKNOWLEDGE = (consumer, number, tag) -> consumer.acknowledge(number);
    private static final Command.Outcome REJECT = new Command.Outcome.DeadLetter("rejected");

    private final AmqpChannel channel;
    private final AmqpConnection connection;
    private final Map<String, Consumer> consumers = new LinkedHashMap<>();
    private final Unacknowledged unacknowledged = new Unacknowledged();
    private final Set<Consumer> heldBack = new LinkedHashSet<>();
    private int prefetch;
    private @Nullable String replies;
    private @Nullable String repliesTag;

    Consuming(AmqpChannel channel) {
        this.channel = channel;
        this.connection = channel.connection();
    }

    Unacknowledged unacknowledged() {
        return unacknowledged;
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
        prefetch = qos.prefetchCount();
        channel.write(new BasicMethod.QosOk());
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
        boolean windowed = consume.noAck() || prefetch == 0;
        Consumer consumer = new Consumer(channel, tag, queue, consume.noAck(), windowed);
        consumers.put(tag, consumer);
        Command.ConsumerSettings settings = new Command.ConsumerSettings(
                windowed ? Consumer.WINDOW : prefetch,
                !windowed,
                consume.noAck(),
                consume.exclusive(),
                priority(consume.arguments()),
                -1,
                null,
                connection,
                tag);
        String inEngine = channel.virtualHost().inEngine(queue);
        connection.<Long>ask(
                channel,
                reply -> new Command.Subscribe(inEngine, null, settings, consumer, reply),
                id -> {
                    consumer.begun(id);
                    if (!consume.noWait()) {
                        channel.write(new BasicMethod.ConsumeOk(tag));
                    }
                },
                refused -> {
                    consumers.remove(tag);
                    throw channel.topology().refusal(queue, refused, ReplyCode.ACCESS_REFUSED, "in exclusive use");
                });
    }

    private static int priority(Map<String, @Nullable Object> arguments) {
        int priority = 0;
        for (Map.Entry<String, @Nullable Object> argument : arguments.entrySet()) {
            if (!argument.getKey().equals("x-priority")) {
                throw new AmqpException(
                        ReplyCode.PRECONDITION_FAILED,
                        "invalid arg '" + argument.getKey() + "' for basic.consume: it is not known here");
            }
            if (!(argument.getValue() instanceof Number number)
                    || number instanceof Double
                    || number instanceof Float
                    || number.longValue() != number.intValue()) {
                throw new AmqpException(
                        ReplyCode.PRECONDITION_FAILED,
                        "invalid arg 'x-priority' for basic.consume: " + argument.getValue() + " is no integer");
            }
            priority = number.intValue();
        }
        return priority;
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

    private void releaseHeldBack() {
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
        String inEngine = channel.virtualHost().inEngine(queue);
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
            tag = unacknowledged.add(getter, delivery.number());
        }
        channel.write(new BasicMethod.GetOk(
                tag,
                delivery.attempt() > 1,
                Routed.exchange(delivery, channel.virtualHost()),
                Routed.routingKey(delivery, queue),
                ready));
        connection
                .output()
                .content(
                        channel.number(),
                        MessageMapping.toAmqp(delivery.message()),
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
        Transaction open = channel.transaction();
        if (open != null) {
            take(tag, multiple, open::acknowledge);
            return;
        }
        take(tag, multiple, ACKNOWLEDGE);
        releaseHeldBack();
    }

    private void refuse(long tag, boolean multiple, boolean requeue) {
        Command.Outcome outcome = requeue ? REQUEUE : REJECT;
        Transaction open = channel.transaction();
        if (open != null) {
            take(tag, multiple, (consumer, number, t) -> open.settle(consumer, number, t, outcome));
            return;
        }
        Batches batches = new Batches();
        take(tag, multiple, batches::add);
        connection.handOver();
        batches.settle(outcome);
        releaseHeldBack();
    }

    private void take(long tag, boolean multiple, Unacknowledged.Visitor visitor) {
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
        Batches batches = new Batches();
        unacknowledged.takeAll(batches::add);
        connection.handOver();
        batches.settle(REQUEUE);
        releaseHeldBack();
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
            numbers.forEach((consumer, list) -> consumer.settle(
                    list.stream().mapToLong(Long::longValue).toArray(), outcome));
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
