package dev.postroad.engine;

import dev.postroad.journal.BatchView;
import dev.postroad.journal.Journal;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.JournalSettings;
import dev.postroad.journal.MemoryStorage;
import dev.postroad.journal.RecoveryHandler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The decoders of the engine's records, each as a function of bytes. It is in their package so that they need not be public
 * for the sake of fuzzing. For any thread.
 *
 * <p>Refused is by {@link EngineException} or {@link JournalException}; an {@link AssertionError} says what does not hold.
 */
public final class EngineDecoders {
    private static final long SEGMENT_BYTES = 64 << 10;
    private static final int MOST_EXAMPLE_BYTES = 4096;
    private static final QueueDefinition QUEUE = QueueDefinition.named("q");
    private static final QueueDefinition KEY_ORDERED =
            QueueDefinition.named("k").withKeyOrdered(true);
    private static final StreamDefinition STREAM = StreamDefinition.named("s", 2);
    private static final TopicDefinition TOPIC = TopicDefinition.named("t", TopicDefinition.Routing.PATTERN);
    private static final ThreadLocal<Journal> JOURNALS = ThreadLocal.withInitial(EngineDecoders::journal);

    private EngineDecoders() {}

    /** The payload of a MESSAGE record, as it is read for a delivery; what it says is written and read again. */
    public static void message(byte[] input) {
        Stored stored = Records.decodeStored(ByteBuffer.wrap(input), Records.MESSAGE);
        byte[] once = encode(stored.message());
        byte[] again = encode(MessageCodec.decode(ByteBuffer.wrap(once)));
        if (!Arrays.equals(once, again)) {
            throw new AssertionError("a message is not what it was once it was written and read again");
        }
    }

    private static byte[] encode(EngineMessage message) {
        ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(MessageCodec.maxBytes(message)));
        MessageCodec.encode(message, out);
        return Arrays.copyOf(out.array(), out.position());
    }

    /** A message as it lies in a MESSAGE record to one queue. */
    public static byte[] exampleMessage(EngineMessage message) {
        byte[] encoded = encode(message);
        return ByteBuffer.allocate(3 + encoded.length)
                .put(new byte[] {0, 1, 1})
                .put(encoded)
                .array();
    }

    /** A definition behind its tag, or a binding where the tag is 4; written and read again. */
    public static void definition(byte[] input) {
        ByteBuffer in = ByteBuffer.wrap(input);
        if (!in.hasRemaining()) {
            return;
        }
        try {
            if (in.get(0) == 4) {
                in.get();
                Binding binding = Binding.decode(in);
                ByteBuffer out = ByteBuffer.allocate(256 + 4 * input.length);
                binding.encode(out);
                Binding again = Binding.decode(out.flip());
                ByteBuffer third = ByteBuffer.allocate(out.capacity());
                again.encode(third);
                same(out.rewind(), third.flip());
                return;
            }
            Definition definition = Definition.decode(in);
            ByteBuffer out = ByteBuffer.allocate(256 + 4 * input.length);
            out.put(definition.tag());
            definition.encode(out);
            Definition again = Definition.decode(out.flip());
            if (!definition.equals(again)) {
                throw new AssertionError("read again, " + definition + " is " + again);
            }
        } catch (RuntimeException e) {
            // Within a record, whose reader says where: see Records.replay.
            throw new EngineException(EngineException.Reason.DAMAGED, String.valueOf(e), e);
        }
    }

    private static void same(ByteBuffer one, ByteBuffer other) {
        if (!one.equals(other)) {
            throw new AssertionError("a binding is not what it was once it was written and read again");
        }
    }

    /** A definition behind its tag. */
    public static byte[] exampleDefinition(Definition definition) {
        ByteBuffer out = ByteBuffer.allocate(MOST_EXAMPLE_BYTES);
        out.put(definition.tag());
        definition.encode(out);
        return Arrays.copyOf(out.array(), out.position());
    }

    /** A binding behind the tag 4. */
    public static byte[] exampleBinding(Binding binding) {
        ByteBuffer out = ByteBuffer.allocate(MOST_EXAMPLE_BYTES);
        out.put((byte) 4);
        binding.encode(out);
        return Arrays.copyOf(out.array(), out.position());
    }

    /**
     * Records one after the other, each behind its type and a length of one byte, applied as at recovery to a broker with a
     * queue (1), a key-ordered queue (2), a stream of two partitions (3, 4) and a topic.
     */
    public static void records(byte[] input) throws JournalException {
        Journal journal = JOURNALS.get();
        MessageStore store = new MessageStore(0);
        store.attach(journal);
        State state = new State(store, new Router(PayloadFields.NONE), new Groups());
        Records records = new Records(journal, state);
        state.add(state.newQueue(1, QUEUE, null));
        state.add(state.newQueue(2, KEY_ORDERED, null));
        state.add(3, state.newStream(3, STREAM));
        state.router.applyDeclared(TOPIC);
        long position = SEGMENT_BYTES / 2;
        int at = 0;
        while (at + 2 <= input.length) {
            byte type = input[at];
            int size = Math.min(input[at + 1] & 0xFF, input.length - at - 2);
            ByteBuffer payload = ByteBuffer.wrap(input, at + 2, size).slice().asReadOnlyBuffer();
            records.replay(position, position, type, payload);
            position += 8;
            at += 2 + size;
        }
    }

    private static Journal journal() {
        try {
            return Journal.open(
                    new MemoryStorage(1 << 20),
                    JournalSettings.defaults().withSegmentBytes(SEGMENT_BYTES).withLowWaterBytes(0),
                    1,
                    () -> 1,
                    new RecoveryHandler() {
                        @Override
                        public void checkpoint(dev.postroad.journal.Snapshot snapshot) {}

                        @Override
                        public void batch(BatchView batch) {}
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
