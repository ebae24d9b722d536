package dev.postroad.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One client of the {@link NullBroker}: its frames in, and what is to be sent to it. Trusts the client to know the protocol. */
final class NullConnection {
    /** Who gets a queue's messages. */
    record Consumer(NullConnection connection, int channel, byte[] tag) {}

    private static final int FRAME_MAX = 128 << 10;
    private static final int FRAME_END = 0xCE;
    private static final int METHOD = 1;
    private static final int HEADER = 2;
    private static final int BODY = 3;

    /** One channel: what is being published on it, and what is to be confirmed. */
    private static final class Channel {
        private final int number;
        private boolean confirms;
        private long published;
        private long confirmed;
        private long delivered;
        private List<NullRouting.Queue> route = List.of();
        private byte[] exchangeAndKey = new byte[0];
        private byte[] header = new byte[0];
        private long missing;
        private ByteBuffer body = ByteBuffer.allocate(0);
        // A generator publishes with the same words again and again.
        private byte[] lastWords = new byte[0];
        private List<NullRouting.Queue> lastRoute = List.of();
        private int lastVersion;

        Channel(int number) {
            this.number = number;
        }
    }

    private final SocketChannel socket;
    private final SelectionKey key;
    private final NullBroker broker;
    private final NullRouting routing;
    private final Map<Integer, Channel> channels = new HashMap<>();
    private final ByteBuffer in = ByteBuffer.allocateDirect(4 * FRAME_MAX);
    private ByteBuffer out = ByteBuffer.allocateDirect(FRAME_MAX);
    private boolean greeted;
    private boolean publishes;
    private @Nullable Channel last;

    NullConnection(SocketChannel socket, SelectionKey key, NullBroker broker, NullRouting routing) {
        this.socket = socket;
        this.key = key;
        this.broker = broker;
        this.routing = routing;
    }

    SelectionKey key() {
        return key;
    }

    boolean publishes() {
        return publishes;
    }

    void interest(int operation, boolean wanted) {
        if (key.isValid() && wanted != ((key.interestOps() & operation) != 0)) {
            key.interestOps(wanted ? key.interestOps() | operation : key.interestOps() & ~operation);
        }
    }

    // ── In
    // ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    void read() throws IOException {
        int count;
        try {
            count = socket.read(in);
        } catch (IOException e) {
            count = -1; // reset by a client that ends
        }
        if (count < 0) {
            gone();
            return;
        }
        in.flip();
        if (!greeted && in.remaining() >= 8) {
            in.position(8);
            greeted = true;
            method(0, 10, 10);
            out.put((byte) 0).put((byte) 9).putInt(0);
            longString("PLAIN");
            longString("en_US");
            endMethod();
        }
        while (in.remaining() >= 7) {
            int size = in.getInt(in.position() + 3);
            if (in.remaining() < size + 8) {
                break;
            }
            int type = in.get();
            int channel = in.getShort() & 0xFFFF;
            in.getInt();
            int end = in.position() + size;
            frame(type, channel, in.slice(in.position(), size));
            in.position(end + 1);
        }
        in.compact();
        for (Channel each : channels.values()) {
            if (each.confirmed < each.published) {
                each.confirmed = each.published;
                method(each.number, 60, 80);
                out.putLong(each.confirmed).put((byte) 1);
                endMethod();
            }
        }
    }

    private void gone() throws IOException {
        routing.forget(this);
        key.cancel();
        socket.close();
        broker.outbound(-out.position());
        out.clear();
    }

    private void frame(int type, int number, ByteBuffer frame) throws IOException {
        Channel channel = channel(number);
        switch (type) {
            case METHOD -> method(channel, frame.getShort(), frame.getShort(), frame.slice());
            case HEADER -> {
                channel.header = new byte[frame.remaining()];
                frame.get(channel.header);
                channel.missing = ByteBuffer.wrap(channel.header).getLong(4);
                channel.body = ByteBuffer.allocate(0);
                if (channel.missing == 0) {
                    deliver(channel, frame);
                }
            }
            case BODY -> {
                channel.missing -= frame.remaining();
                if (channel.missing > 0 || channel.body.capacity() > 0) {
                    ByteBuffer joined = ByteBuffer.allocate(channel.body.limit() + frame.remaining());
                    channel.body = joined.put(channel.body).put(frame).flip();
                }
                if (channel.missing == 0) {
                    deliver(channel, channel.body.capacity() > 0 ? channel.body : frame);
                }
            }
            default -> {
                // a heartbeat
            }
        }
    }

    private Channel channel(int number) {
        Channel known = last;
        if (known == null || known.number != number) {
            known = channels.computeIfAbsent(number, Channel::new);
            last = known;
        }
        return known;
    }

    private void method(Channel channel, int type, int id, ByteBuffer arguments) {
        switch (type * 1000 + id) {
            case 60_040 -> publish(channel, arguments);
            case 60_080, 60_090, 60_120, 10_031, 10_051, 20_041 -> {
                // nothing comes of acknowledgements, nor of answers
            }
            case 10_011 -> {
                method(0, 10, 30);
                out.putShort((short) 2047).putInt(FRAME_MAX).putShort((short) 0);
                endMethod();
            }
            case 10_040 -> answer(0, 10, 41, "");
            case 10_050, 20_040 -> answer(channel.number, type, id + 1);
            case 20_010 -> {
                method(channel.number, 20, 11);
                longString("");
                endMethod();
            }
            case 40_010 -> {
                arguments.getShort();
                routing.declareExchange(shortString(arguments), shortString(arguments));
                answer(channel.number, 40, 11);
            }
            case 50_010 -> {
                arguments.getShort();
                String name = routing.declareQueue(shortString(arguments));
                method(channel.number, 50, 11);
                shortString(name);
                out.putInt(0).putInt(routing.queue(name).consumers());
                endMethod();
            }
            case 50_020 -> {
                arguments.getShort();
                String queue = shortString(arguments);
                String exchange = shortString(arguments);
                routing.bind(exchange, shortString(arguments), queue);
                answer(channel.number, 50, 21);
            }
            case 50_030, 50_040 -> {
                arguments.getShort();
                if (id == 40) {
                    routing.deleteQueue(shortString(arguments));
                }
                method(channel.number, 50, id + 1);
                out.putInt(0);
                endMethod();
            }
            case 60_020 -> consume(channel, arguments);
            case 60_030 -> answer(channel.number, 60, 31, shortString(arguments));
            case 60_070 -> answer(channel.number, 60, 72, "");
            case 60_010, 40_020, 50_050, 85_010 -> {
                channel.confirms |= type == 85;
                answer(channel.number, type, id + 1);
            }
            default -> throw new IllegalStateException("the null broker has no method " + type + "." + id);
        }
    }

    private void consume(Channel channel, ByteBuffer arguments) {
        arguments.getShort();
        String queue = shortString(arguments);
        String asked = shortString(arguments);
        String tag = asked.isEmpty() ? "ctag-" + channel.number + "-" + queue : asked;
        routing.queue(queue).add(new Consumer(this, channel.number, ("x" + tag).getBytes(StandardCharsets.UTF_8)));
        answer(channel.number, 60, 21, tag);
    }

    private void publish(Channel channel, ByteBuffer arguments) {
        publishes = true;
        arguments.getShort();
        int length = (arguments.get(2) & 0xFF) + 1;
        length += (arguments.get(2 + length) & 0xFF) + 1;
        byte[] words = channel.lastWords;
        if (channel.lastVersion != routing.version()
                || words.length != length
                || !arguments.slice(2, length).equals(ByteBuffer.wrap(words))) {
            words = new byte[length];
            arguments.get(2, words);
            channel.lastWords = words;
            channel.lastVersion = routing.version();
            ByteBuffer read = ByteBuffer.wrap(words);
            String exchange = shortString(read);
            channel.lastRoute = List.copyOf(routing.route(exchange, shortString(read)));
        }
        channel.exchangeAndKey = words;
        channel.route = channel.lastRoute;
    }

    // ── Out
    // ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    private void deliver(Channel from, ByteBuffer body) throws IOException {
        if (from.confirms) {
            from.published++;
            broker.touch(this);
            broker.store(body);
        }
        for (NullRouting.Queue queue : from.route) {
            if (queue.consumers() > 0) {
                Consumer to = queue.next();
                to.connection.deliver(to, from, body.duplicate());
            }
        }
    }

    private void deliver(Consumer to, Channel from, ByteBuffer body) {
        Channel channel = channel(to.channel);
        room(80 + to.tag.length + from.exchangeAndKey.length + from.header.length + body.remaining());
        method(to.channel, 60, 60);
        out.put((byte) (to.tag.length - 1)).put(to.tag, 1, to.tag.length - 1);
        out.putLong(++channel.delivered).put((byte) 0).put(from.exchangeAndKey);
        endMethod();
        int before = out.position();
        out.put((byte) HEADER).putShort((short) to.channel).putInt(from.header.length);
        out.put(from.header).put((byte) FRAME_END);
        while (body.hasRemaining()) {
            int size = Math.min(body.remaining(), FRAME_MAX - 8);
            room(size + 8);
            out.put((byte) BODY).putShort((short) to.channel).putInt(size);
            out.put(body.slice(body.position(), size)).put((byte) FRAME_END);
            body.position(body.position() + size);
        }
        broker.outbound(out.position() - before);
        broker.touch(this);
    }

    private void answer(int channel, int type, int id, String... words) {
        method(channel, type, id);
        for (String word : words) {
            shortString(word);
        }
        endMethod();
    }

    private int begun;

    private void method(int channel, int type, int id) {
        room(1024);
        begun = out.position();
        out.put((byte) METHOD).putShort((short) channel).putInt(0);
        out.putShort((short) type).putShort((short) id);
        broker.touch(this);
    }

    private void endMethod() {
        out.putInt(begun + 3, out.position() - begun - 7).put((byte) FRAME_END);
        broker.outbound(out.position() - begun);
    }

    private void room(int bytes) {
        if (out.remaining() < bytes) {
            int wanted = Math.max(2 * out.capacity(), out.position() + bytes);
            out = ByteBuffer.allocateDirect(wanted).put(out.flip());
        }
    }

    private void shortString(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.put((byte) bytes.length).put(bytes);
    }

    private void longString(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.putInt(bytes.length).put(bytes);
    }

    private static String shortString(ByteBuffer from) {
        byte[] bytes = new byte[from.get() & 0xFF];
        from.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Sends what is to be sent, as far as the socket takes it. */
    void flush() throws IOException {
        if (!socket.isOpen()) {
            return;
        }
        out.flip();
        int before = out.remaining();
        try {
            socket.write(out);
        } catch (IOException e) {
            out.compact();
            gone();
            return;
        }
        broker.outbound(out.remaining() - before);
        interest(SelectionKey.OP_WRITE, out.hasRemaining());
        out.compact();
    }
}
