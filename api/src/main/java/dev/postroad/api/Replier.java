package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.lang.System.Logger.Level;

/** Lets a {@link RequestHandler} work as a {@link Handler}: sends what it returns to where the request wants it. */
final class Replier<K, V, A, B> implements Handler<K, V> {
    private static final System.Logger LOG = System.getLogger("dev.postroad.api");
    private static final int MAX_ERROR_LENGTH = 1_000;

    private final Channel channel;
    private final Transport transport;
    private final MessageCodec<A, B> replyCodec;
    private final MessageCodec<byte[], byte[]> errorCodec;
    private final RequestHandler<K, V, A, B> handler;

    Replier(
            Channel channel,
            Transport transport,
            MessageCodec<A, B> replyCodec,
            MessageCodec<byte[], byte[]> errorCodec,
            RequestHandler<K, V, A, B> handler) {
        this.channel = channel;
        this.transport = transport;
        this.replyCodec = replyCodec;
        this.errorCodec = errorCodec;
        this.handler = handler;
    }

    @Override
    public void handle(Delivery<K, V> delivery) throws Exception {
        Message<K, V> request = delivery.message();
        Message<A, B> answer;
        try {
            answer = handler.handle(request);
        } catch (Exception e) {
            if (e instanceof DeadLetterException
                    || delivery.attempt() >= channel.retry().maxAttempts()) {
                reply(errorCodec, request, error(e));
            }
            throw e;
        }
        reply(replyCodec, request, answer);
    }

    private static Message<byte[], byte[]> error(Exception failure) {
        String text = failure.toString();
        return Message.<byte[], byte[]>of(new byte[0])
                .withHeader(
                        Requests.ERROR_HEADER,
                        text.length() <= MAX_ERROR_LENGTH ? text : text.substring(0, MAX_ERROR_LENGTH));
    }

    private <X, Y> void reply(MessageCodec<X, Y> codec, Message<K, V> request, Message<X, Y> answer) {
        String to = request.replyTo();
        if (to == null) {
            return;
        }
        String correlation = request.correlationId() == null ? request.id() : request.correlationId();
        Message<X, Y> addressed = answer.withProperties(
                answer.properties().withCorrelationId(correlation).withReplyTo(null));
        try {
            Blocking.await(transport.send(to, codec.encode(to, addressed)), "sending a reply to channel '" + to + "'");
        } catch (MessagingException e) {
            if (e.reason() != Reason.NOT_FOUND) {
                throw e;
            }
            LOG.log(
                    Level.DEBUG,
                    "the requester of message " + Text.line(request.id()) + " is gone; its reply is dropped");
        }
    }
}
