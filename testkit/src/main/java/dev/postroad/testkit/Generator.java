package dev.postroad.testkit;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Random values from a seed: the same seed gives the same values, on every machine and every JDK (SplitMix64, and
 * nothing of the JDK's own generators). Sizes are meant to hurt a little: ends of ranges, empty strings and awkward
 * characters come far more often than chance would have them.
 *
 * <p>For one thread at a time; give each thread its own {@link #fork()}.
 */
public final class Generator {
    /**
     * Names the seed to use: decimal, or hexadecimal after {@code 0x}; or {@value #FRESH} for another one in each run. Without
     * it a test's seed comes from its name, so that a build which passed passes again; long runs ({@code -Dsoak}) are fresh.
     */
    public static final String SEED_PROPERTY = "postroad.seed";

    private static final String FRESH = "fresh";

    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    /** Code points that programs get wrong: quotes, separators, controls, wildcards, wide, combining, right to left. */
    private static final int[] AWKWARD = {
        0, '\t', '\n', '\r', ' ', '"', '\'', '\\', '/', '.', '*', '#', '+', '%', '$', '{', '<', '&', ';', '=', 0x7f,
        0x80, 0xa0, 0xdf, 0x130, 0x131, 0x301, 0x3a3, 0x5d0, 0x7ff, 0x800, 0x200b, 0x200d, 0x2028, 0x202e, 0xfb01,
        0xfeff, 0xfffd, 0xffff, 0x10000, 0x1f469, 0x1f4a9, 0x10ffff
    };

    private final long seed;
    private long state;

    private Generator(long seed) {
        this.seed = seed;
        this.state = seed;
    }

    /** A generator that gives what {@code seed} gives. */
    public static Generator of(long seed) {
        return new Generator(seed);
    }

    /**
     * A generator for a test that makes its random values by hand; its seed, from {@value #SEED_PROPERTY} or of the name
     * {@code what}, is printed, with how to have it again.
     */
    public static Generator announced(String what) {
        Long given = givenSeed();
        Generator gen = of(given == null ? seedOf(what) : given);
        System.out.println(what + ": seed " + gen.seed + " (again: -D" + SEED_PROPERTY + "=" + gen.seed + ")");
        return gen;
    }

    /** The seed this generator began with. */
    public long seed() {
        return seed;
    }

    /** A new generator that depends on this one's seed and position, and shares nothing with it afterwards. */
    public Generator fork() {
        return of(nextLong());
    }

    /** Any 64 bits. */
    public long nextLong() {
        state += GOLDEN_GAMMA;
        return mix(state);
    }

    /** A value from {@code low} to {@code high}, both included, all equally likely. */
    public long uniform(long low, long high) {
        if (low > high) {
            throw new IllegalArgumentException("an empty range: " + low + " to " + high);
        }
        long span = high - low + 1;
        // span is 0 when the range is all of long; the bias of the remainder is below 2^-32 for spans a test uses
        return span == 0 ? nextLong() : low + Long.remainderUnsigned(nextLong(), span);
    }

    /** As {@link #uniform}, but one time in eight an end of the range or its neighbour. */
    public long between(long low, long high) {
        if (low > high) {
            throw new IllegalArgumentException("an empty range: " + low + " to " + high);
        }
        if (high - low < 4 && high - low >= 0 || !chance(1, 8)) {
            return uniform(low, high);
        }
        return switch ((int) uniform(0, 3)) {
            case 0 -> low;
            case 1 -> low + 1;
            case 2 -> high - 1;
            default -> high;
        };
    }

    /** As {@link #between(long, long)}, for ints. */
    public int between(int low, int high) {
        return (int) between((long) low, (long) high);
    }

    /** True or false, equally likely. */
    public boolean flip() {
        return nextLong() < 0;
    }

    /** True {@code times} times in {@code outOf}. */
    public boolean chance(int times, int outOf) {
        return uniform(1, outOf) <= times;
    }

    /** From 0 (included) to 1 (not included). */
    public double fraction() {
        return (nextLong() >>> 11) * 0x1.0p-53;
    }

    /** Exactly {@code length} bytes: mostly random, now and then all zeros, all ones, or one byte repeated. */
    public byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        int shape = (int) uniform(0, 15);
        byte fill = (byte) nextLong();
        for (int i = 0; i < length; i++) {
            bytes[i] = switch (shape) {
                case 0 -> 0;
                case 1 -> (byte) 0xff;
                case 2 -> fill;
                default -> (byte) nextLong();
            };
        }
        return bytes;
    }

    /** From {@code min} to {@code max} bytes, see {@link #bytes(int)}. */
    public byte[] bytes(int min, int max) {
        return bytes(between(min, max));
    }

    /** From {@code min} to {@code max} letters a to z: for names. */
    public String word(int min, int max) {
        int length = between(min, max);
        StringBuilder word = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            word.append((char) uniform('a', 'z'));
        }
        return word.toString();
    }

    /**
     * Valid Unicode of {@code min} to {@code max} code points (twice as many chars at most, four times as many bytes in
     * UTF-8). Many of them are awkward ones; no lone surrogates, so that the string survives UTF-8.
     */
    public String text(int min, int max) {
        int length = between(min, max);
        StringBuilder text = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            text.appendCodePoint(codePoint());
        }
        return text.toString();
    }

    /** {@link #text} as UTF-8. */
    public byte[] utf8(int min, int max) {
        return text(min, max).getBytes(StandardCharsets.UTF_8);
    }

    private int codePoint() {
        return switch ((int) uniform(0, 7)) {
            case 0, 1 -> AWKWARD[(int) uniform(0, AWKWARD.length - 1)];
            case 2 -> {
                int any = (int) uniform(0, Character.MAX_CODE_POINT - 0x800);
                yield any < Character.MIN_SURROGATE ? any : any + 0x800;
            }
            default -> (int) uniform(' ', '~');
        };
    }

    /** From {@code min} to {@code max}, to the nanosecond. */
    public Duration duration(Duration min, Duration max) {
        return Duration.ofNanos(between(min.toNanos(), max.toNanos()));
    }

    /** One of these, equally likely. */
    @SafeVarargs
    public final <T> T choose(T... from) {
        return from[(int) uniform(0, from.length - 1L)];
    }

    /** One of these, equally likely. */
    public <T> T choose(List<T> from) {
        if (from.isEmpty()) {
            throw new IllegalArgumentException("nothing to choose from");
        }
        return from.get((int) uniform(0, from.size() - 1L));
    }

    /** One of the enum's values, equally likely. */
    public <E extends Enum<E>> E choose(Class<E> type) {
        return choose(List.of(type.getEnumConstants()));
    }

    /** One of the values, each as likely as its weight is large. */
    @SafeVarargs
    public final <T> T weighted(Weighted<T>... from) {
        long total = 0;
        for (Weighted<T> choice : from) {
            total += choice.weight;
        }
        if (total == 0) {
            throw new IllegalArgumentException("nothing to choose from: the weights sum up to 0");
        }
        long at = uniform(0, total - 1);
        for (Weighted<T> choice : from) {
            at -= choice.weight;
            if (at < 0) {
                return choice.value;
            }
        }
        throw new AssertionError("a position below the sum of the weights is within one of them");
    }

    /** From {@code min} to {@code max} elements, in an {@code ArrayList} of the caller's own. */
    public <T> List<T> list(int min, int max, Supplier<? extends T> element) {
        int size = between(min, max);
        List<T> list = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            list.add(element.get());
        }
        return list;
    }

    /** The same elements in any order, in a list of the caller's own. */
    public <T> List<T> shuffled(List<? extends T> elements) {
        List<T> list = new ArrayList<>(elements);
        for (int i = list.size() - 1; i > 0; i--) {
            Collections.swap(list, i, (int) uniform(0, i));
        }
        return list;
    }

    /** Some of the elements, from none to all, in their order. */
    public <T> List<T> some(List<? extends T> elements) {
        int oneIn = (int) uniform(1, 4);
        List<T> list = new ArrayList<>();
        for (T element : elements) {
            if (chance(1, oneIn)) {
                list.add(element);
            }
        }
        return list;
    }

    /** Passes over {@code count} values of 64 bits. */
    Generator skip(long count) {
        state += count * GOLDEN_GAMMA;
        return this;
    }

    @Override
    public String toString() {
        return "Generator[seed " + seed + "]";
    }

    static @Nullable Long givenSeed() {
        String given = System.getProperty(SEED_PROPERTY, "").strip();
        if (given.isEmpty() || given.equals(FRESH)) {
            return null;
        }
        try {
            return given.startsWith("0x") ? (Long) Long.parseUnsignedLong(given.substring(2), 16) : Long.decode(given);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "-D" + SEED_PROPERTY + "=" + given + " is neither '" + FRESH
                            + "' nor a number of 64 bits, decimal or hexadecimal after 0x",
                    e);
        }
    }

    /** The seed that a test of this name has when none was given. Positive, and short enough to be typed. */
    static long seedOf(String what) {
        if (System.getProperty(SEED_PROPERTY, "").strip().equals(FRESH) || System.getProperty("soak") != null) {
            // Not from a Generator: that one has to start somewhere.
            return ThreadLocalRandom.current().nextLong(1L << 48);
        }
        long hash = 0;
        for (byte each : what.getBytes(StandardCharsets.UTF_8)) {
            hash = mix(hash + each + GOLDEN_GAMMA);
        }
        return hash >>> 16;
    }

    /** The seed of case number {@code index} of a run that began with {@code seed}. */
    static long seedOfCase(long seed, int index) {
        return mix(seed + index * GOLDEN_GAMMA) >>> 16;
    }

    private static long mix(long bits) {
        long z = (bits ^ (bits >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** A value and how likely it is beside the others: see {@link #weighted}. */
    public record Weighted<T>(int weight, T value) {
        public Weighted {
            if (weight < 0) {
                throw new IllegalArgumentException("a weight cannot be negative: " + weight + " of " + value);
            }
        }

        /** Shorthand for the constructor. */
        public static <T> Weighted<T> weight(int weight, T value) {
            return new Weighted<>(weight, value);
        }
    }
}
