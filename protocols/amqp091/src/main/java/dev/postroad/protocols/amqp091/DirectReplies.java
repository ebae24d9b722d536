package dev.postroad.protocols.amqp091;

import dev.postroad.protocols.amqp091.codec.BasicMethod;
import dev.postroad.protocols.amqp091.codec.BasicProperties;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Direct reply-to: replies that go from connection to connection, and touch neither a queue nor the disk. A requester consumes
 * from {@value #QUEUE}; its requests carry a name that only it has, and what is published to that name is written to its
 * connection. If it has gone, the reply is dropped, or returned where the replier asks for that.
 */
final class DirectReplies {
    /** What requesters consume from, and name as reply-to. */
    static final String QUEUE = "amq.rabbitmq.reply-to";

    private final Map<String, Requester> requesters = new ConcurrentHashMap<>();
    private final SecureRandom random = new SecureRandom();

    /** A channel's consumer of replies. */
    record Requester(AmqpChannel channel, String consumerTag) {}

    /** A name that nobody can guess. */
    String register(Requester requester) {
        byte[] token = new byte[18];
        random.nextBytes(token);
        String name = QUEUE + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(token);
        requesters.put(name, requester);
        return name;
    }

    void forget(String name) {
        requesters.remove(name);
    }

    boolean has(String name) {
        return requesters.containsKey(name);
    }

    /** Writes a reply to its requester's connection. False if there is none. From any thread. */
    boolean reply(String exchange, String name, BasicProperties properties, byte[] body) {
        Requester requester = requesters.get(name);
        if (requester == null) {
            return false;
        }
        AmqpChannel channel = requester.channel();
        AmqpConnection connection = channel.connection();
        connection.context().channel().eventLoop().execute(() -> {
            if (!channel.ended() && connection.state() == AmqpConnection.State.RUNNING) {
                long tag = channel.consuming().unacknowledged().skip();
                channel.write(new BasicMethod.Deliver(requester.consumerTag(), tag, false, exchange, name));
                connection.output().content(channel.number(), properties, body);
            }
        });
        return true;
    }
}
