package dev.postroad.protocols.http;

import java.nio.ByteBuffer;
import java.util.Base64;

/**
 * The name a client settles a delivery by: the consumer, the message's number in its queue, and a number that no other
 * delivery of it has, so that one who comes too late does not settle the next attempt.
 *
 * @param instance of the server, so that a name from before a restart means nothing after it
 */
record DeliveryId(int instance, long consumer, long number, int nonce) {
    private static final int BYTES = 4 + 8 + 8 + 4;

    @Override
    public String toString() {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        bytes.putInt(instance).putLong(consumer).putLong(number).putInt(nonce);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.array());
    }

    static DeliveryId parse(String text) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(text);
            if (bytes.length == BYTES) {
                ByteBuffer in = ByteBuffer.wrap(bytes);
                return new DeliveryId(in.getInt(), in.getLong(), in.getLong(), in.getInt());
            }
        } catch (IllegalArgumentException e) {
            throw notOne(text);
        }
        throw notOne(text);
    }

    private static Problem notOne(String text) {
        String shown = text.length() <= 60 ? text : text.substring(0, 60) + "…";
        return Problem.invalid("'" + shown + "' is no delivery; give the value of 'delivery' as it was received");
    }
}
