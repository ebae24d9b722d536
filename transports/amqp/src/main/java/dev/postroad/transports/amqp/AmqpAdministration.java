package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.GetResponse;
import dev.postroad.api.Administration;
import dev.postroad.api.Channel;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.transports.emulation.Log;
import dev.postroad.transports.emulation.PartitionTracker;
import dev.postroad.transports.emulation.Waiting;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Looking after channels, as far as AMQP tells: what waits and who consumes. */
final class AmqpAdministration implements Administration {
    private final AmqpTransport transport;

    AmqpAdministration(AmqpTransport transport) {
        this.transport = transport;
    }

    @Override
    public List<ChannelStatus> channels() {
        List<ChannelStatus> all = new ArrayList<>();
        transport.schedules().refresh();
        for (Channel channel : transport.catalog().all()) {
            try {
                all.add(status(channel));
            } catch (MessagingException e) {
                // Its queue was deleted by other hands: it holds nothing.
                if (e.reason() != Reason.NOT_FOUND) {
                    throw e;
                }
                all.add(new ChannelStatus(
                        channel, 0, NOT_TOLD, 0, 0, NOT_TOLD, NOT_TOLD, NOT_TOLD, NOT_TOLD, NOT_TOLD));
            }
        }
        return all;
    }

    private ChannelStatus status(Channel channel) {
        return transport.link().with("looking at channel '" + channel.name() + "'", on -> {
            long ready = 0;
            int consumers = 0;
            for (String queue : Topology.queues(channel)) {
                AMQP.Queue.DeclareOk found = on.queueDeclarePassive(queue);
                ready += found.getMessageCount();
                consumers += found.getConsumerCount();
            }
            return new ChannelStatus(
                    channel,
                    // RabbitMQ does not count what a stream keeps.
                    channel.kind().isStream() && ready == 0 ? NOT_TOLD : ready,
                    NOT_TOLD,
                    channel.kind().isStream() ? 0 : transport.schedules().waiting(channel.name()),
                    consumers,
                    NOT_TOLD,
                    NOT_TOLD,
                    NOT_TOLD,
                    NOT_TOLD,
                    NOT_TOLD);
        });
    }

    @Override
    public List<GroupStatus> groups(String channel) {
        Channel stream = transport.catalog().get(channel, transport.url());
        List<GroupStatus> all = new ArrayList<>();
        for (String group : transport.groups().of(channel)) {
            all.add(group(stream, group));
        }
        return all;
    }

    private GroupStatus group(Channel stream, String group) {
        AtomicReference<byte[]> entry = new AtomicReference<>(new byte[0]);
        try (Log log = transport.openPositions(stream.name(), group, entry::set)) {
            log.catchUp();
        }
        Map<Integer, PartitionTracker> positions = Groups.positions(entry.get());
        return transport.link().with("looking at group '" + group + "' of '" + stream.name() + "'", on -> {
            int members =
                    on.queueDeclarePassive(Groups.lock(stream.name(), group)).getConsumerCount();
            long lag = 0;
            Map<Integer, Long> next = new TreeMap<>();
            for (int partition = 0; partition < stream.partitions(); partition++) {
                PartitionTracker position = positions.get(partition);
                long at = position == null ? 0 : position.next();
                long beyond = position == null ? 0 : position.doneBeyond();
                next.put(partition, at);
                lag += Math.max(0, StreamReader.end(on, Topology.queue(stream, partition)) - at - beyond);
            }
            return new GroupStatus(group, lag, NOT_TOLD, members, next);
        });
    }

    @Override
    public List<Browsed> browse(String channel, @Nullable String filter, int max) {
        throw new MessagingException(
                Reason.IMPOSSIBLE_NEED,
                "the messages of channel '" + channel + "' on " + transport.url()
                        + " can't be looked at: AMQP shows a message only by delivering it");
    }

    @Override
    public long purge(String name) {
        Channel channel = transport.catalog().get(name, transport.url());
        if (channel.kind().isStream()) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "stream '" + name + "' can't be purged on " + transport.url() + "; delete it and declare it again");
        }
        return transport.link().with("purging channel '" + name + "'", on ->
                (long) on.queuePurge(channel.name()).getMessageCount());
    }

    @Override
    public void delete(String name) {
        Channel channel = transport.catalog().get(name, transport.url());
        transport.link().with("deleting channel '" + name + "'", on -> {
            if (channel.kind().isStream()) {
                for (String group : transport.groups().of(name)) {
                    requireUnused(on, name, Groups.lock(name, group));
                }
            }
            for (String queue : Topology.queues(channel)) {
                requireUnused(on, name, queue);
            }
            for (String queue : Topology.queues(channel)) {
                on.queueDelete(queue);
            }
            return channel;
        });
        if (channel.kind().isStream()) {
            deleteGroups(name);
        }
        transport.catalog().strike(name);
    }

    private static void requireUnused(com.rabbitmq.client.Channel on, String channel, String queue) throws IOException {
        int consumers = on.queueDeclarePassive(queue).getConsumerCount();
        if (consumers > 0) {
            throw new MessagingException(
                    Reason.IN_USE,
                    "channel '" + channel + "' has " + consumers + " consumers; close them before it is deleted");
        }
    }

    private void deleteGroups(String stream) {
        List<String> groups = transport.groups().of(stream);
        if (groups.isEmpty()) {
            return;
        }
        transport.groups().strike(stream);
        transport.link().with("deleting the groups of stream '" + stream + "'", on -> {
            for (String group : groups) {
                on.queueDelete(Groups.lock(stream, group));
                on.queueDelete(StreamLog.PREFIX + Groups.positions(stream, group));
            }
            return groups;
        });
    }

    @Override
    public long redrive(String deadLetterChannel, @Nullable String filter, long max) {
        if (filter != null) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "redriving by a filter, " + filter + ": " + transport.url()
                            + " has no filters; redrive all, or so many");
        }
        if (max < 1) {
            throw new MessagingException(Reason.INVALID, "max is " + max + "; it must be 1 or more");
        }
        Channel dead = transport.catalog().get(deadLetterChannel, transport.url());
        return transport.link().with("redriving '" + deadLetterChannel + "'", on -> {
            // Letters that come meanwhile are for the next time.
            long waiting = Math.min(max, on.queueDeclarePassive(dead.name()).getMessageCount());
            long done = 0;
            while (done < waiting) {
                GetResponse letter = on.basicGet(dead.name(), false);
                if (letter == null) {
                    return done;
                }
                putBack(on, dead, letter);
                done++;
            }
            return done;
        });
    }

    private void putBack(com.rabbitmq.client.Channel on, Channel dead, GetResponse letter) throws IOException {
        long tag = letter.getEnvelope().getDeliveryTag();
        boolean put = false;
        try {
            Message<byte[], byte[]> message = Wire.read(
                            dead.name(), () -> dead.name() + "/" + tag, letter.getProps(), letter.getBody())
                    .message();
            String origin = DeadLetter.of(message)
                    .map(DeadLetter::origin)
                    .orElseThrow(() -> new MessagingException(
                            Reason.INVALID,
                            "message " + message.id() + " on '" + dead.name()
                                    + "' is no dead letter: it tells no origin"));
            Channel to = transport.catalog().get(origin, transport.url());
            Message<byte[], byte[]> asSent = message.withHeaders(DeadLetter.removedFrom(message.headers()));
            Waiting.await(
                    to.kind().isStream()
                            ? transport.republish(to, asSent)
                            : transport.publish(to, Wire.of(asSent, to.ttl(), System.currentTimeMillis())),
                    "putting message " + message.id() + " back to channel '" + origin + "'");
            put = true;
        } finally {
            if (put) {
                on.basicAck(tag, false);
            } else {
                on.basicNack(tag, false, true);
            }
        }
    }

    @Override
    public boolean cancel(String channel, String messageId) {
        transport.catalog().get(channel, transport.url());
        return transport.schedules().cancel(channel, messageId);
    }
}
