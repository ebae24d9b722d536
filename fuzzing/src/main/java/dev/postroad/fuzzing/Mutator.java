package dev.postroad.fuzzing;

import dev.postroad.testkit.Generator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Makes inputs: valid ones, ones that were interesting before, and either with a few things changed. For one thread. */
final class Mutator {
    /** Numbers at the ends of their ranges, and lengths as varints. */
    static final List<byte[]> NUMBERS = List.of(
            bytes(0),
            bytes(0xff),
            bytes(0x7f),
            bytes(0x80),
            bytes(0, 0, 0, 0),
            bytes(0x7f, 0xff, 0xff, 0xff),
            bytes(0x80, 0, 0, 0),
            bytes(0xff, 0xff, 0xff, 0xff),
            bytes(0, 0, 0, 1),
            bytes(0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
            bytes(0x80, 0, 0, 0, 0, 0, 0, 0),
            bytes(0xff, 0xff, 0xff, 0xff, 0x07),
            bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
            bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01));

    private static final int MOST_KEPT = 512;
    private static final int MOST_CHANGES = 5;

    private final Target target;
    private final Generator gen;
    private final List<byte[]> pool;
    private final Set<Integer> places = new HashSet<>();

    Mutator(Target target, List<byte[]> corpus, Generator gen) {
        this.target = target;
        this.gen = gen;
        this.pool = new ArrayList<>(corpus);
        for (int i = 0; i < 16; i++) {
            pool.add(sample());
        }
    }

    /** The next input. */
    byte[] next() {
        if (gen.chance(1, 12)) {
            byte[] fresh = sample();
            return gen.flip() ? fresh : mutated(fresh);
        }
        if (gen.chance(1, 64)) {
            return gen.bytes(0, 64);
        }
        return mutated(origin());
    }

    /** Mostly the shorter of two: what short inputs find takes less time to find, and the pool grows long with time. */
    private byte[] origin() {
        byte[] one = gen.choose(pool);
        if (gen.chance(1, 8)) {
            return one;
        }
        byte[] other = gen.choose(pool);
        return one.length <= other.length ? one : other;
    }

    /** An input got somewhere: if nobody was there before, others start from it. */
    void reached(int place, byte[] input) {
        if (places.add(place)) {
            if (pool.size() >= MOST_KEPT) {
                pool.set((int) gen.uniform(0, MOST_KEPT - 1L), input);
            } else {
                pool.add(input);
            }
        }
    }

    /** The inputs that others start from. */
    List<byte[]> pool() {
        return new ArrayList<>(pool);
    }

    private byte[] sample() {
        byte[] sample = target.sample().apply(gen);
        return sample.length <= target.mostBytes() ? sample : Arrays.copyOf(sample, target.mostBytes());
    }

    private byte[] mutated(byte[] from) {
        byte[] bytes = from;
        for (long left = gen.uniform(1, MOST_CHANGES); left > 0; left--) {
            bytes = changed(bytes);
        }
        return bytes.length <= target.mostBytes() ? bytes : Arrays.copyOf(bytes, target.mostBytes());
    }

    private byte[] changed(byte[] from) {
        int length = from.length;
        int at = length == 0 ? 0 : (int) gen.uniform(0, length - 1L);
        switch ((int) gen.uniform(0, 8)) {
            case 0 -> {
                return length == 0 ? from : set(from, at, (byte) (from[at] ^ 1 << gen.uniform(0, 7)));
            }
            case 1 -> {
                return length == 0 ? from : set(from, at, (byte) gen.nextLong());
            }
            case 2 -> {
                return length == 0 ? from : set(from, at, (byte) (from[at] + (gen.flip() ? 1 : -1)));
            }
            case 3 -> {
                return spliced(from, at, word(), 0);
            }
            case 4 -> {
                byte[] word = word();
                return spliced(from, at, word, Math.min(word.length, length - at));
            }
            case 5 -> {
                return spliced(from, at, new byte[0], Math.min((int) gen.uniform(1, 16), length - at));
            }
            case 6 -> {
                int end = (int) Math.min(length, at + gen.uniform(1, 32));
                byte[] piece = Arrays.copyOfRange(from, at, end);
                byte[] grown = from;
                for (long times = gen.chance(1, 16) ? gen.uniform(1, 64) : 1; times > 0; times--) {
                    grown = grown.length + piece.length > target.mostBytes() ? grown : spliced(grown, at, piece, 0);
                }
                return grown;
            }
            case 7 -> {
                byte[] other = gen.choose(pool);
                int cut = other.length == 0 ? 0 : (int) gen.uniform(0, other.length - 1L);
                byte[] joined = Arrays.copyOf(from, at + other.length - cut);
                System.arraycopy(other, cut, joined, at, other.length - cut);
                return joined;
            }
            default -> {
                return Arrays.copyOf(from, at);
            }
        }
    }

    private byte[] word() {
        return target.dictionary().isEmpty() || gen.chance(1, 4)
                ? gen.choose(NUMBERS)
                : gen.choose(target.dictionary());
    }

    private static byte[] set(byte[] from, int at, byte value) {
        byte[] bytes = from.clone();
        bytes[at] = value;
        return bytes;
    }

    private static byte[] spliced(byte[] from, int at, byte[] piece, int replaced) {
        byte[] bytes = new byte[from.length + piece.length - replaced];
        System.arraycopy(from, 0, bytes, 0, at);
        System.arraycopy(piece, 0, bytes, at, piece.length);
        System.arraycopy(from, at + replaced, bytes, at + piece.length, from.length - at - replaced);
        return bytes;
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }
}
