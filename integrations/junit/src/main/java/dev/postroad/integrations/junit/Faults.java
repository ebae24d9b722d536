package dev.postroad.integrations.junit;

import java.util.EnumMap;
import java.util.Map;

/**
 * Which faults strike, and how often. Whether one strikes a message depends on the seed, the channel, the how-manieth message
 * of its channel it is, and nothing else: the same seed strikes the same messages again, however threads run.
 *
 * <p>Faults of deliveries strike first attempts only, and only where the channel allows three or more, so that a sound program
 * never loses a message to its dead letters by them.
 *
 * @param seed of all decisions
 * @param rates by fault, 0 (never) to 1 (always); what is absent never strikes
 */
public record Faults(long seed, Map<Fault, Double> rates) {

    /** @throws IllegalArgumentException naming the rate that is out of its bounds */
    public Faults {
        rates = Map.copyOf(rates);
        rates.forEach((fault, rate) -> {
            if (!(rate >= 0 && rate <= 1)) {
                throw new IllegalArgumentException("the rate of " + fault + " is " + rate + "; it must be 0 to 1");
            }
        });
    }

    /** None at all. */
    public static Faults none() {
        return new Faults(0, Map.of());
    }

    /** These faults, each at its default rate. */
    public static Faults of(long seed, Fault... faults) {
        Map<Fault, Double> rates = new EnumMap<>(Fault.class);
        for (Fault fault : faults) {
            rates.put(fault, fault.defaultRate());
        }
        return new Faults(seed, rates);
    }

    /** All there are, each at its default rate. */
    public static Faults all(long seed) {
        return of(seed, Fault.values());
    }

    /** These faults, and this one at this rate. */
    public Faults withRate(Fault fault, double rate) {
        Map<Fault, Double> more = new EnumMap<>(Fault.class);
        more.putAll(rates);
        more.put(fault, rate);
        return new Faults(seed, more);
    }

    /** Whether the fault strikes the message with this number in its channel. */
    boolean strikes(Fault fault, String channel, long number) {
        Double rate = rates.get(fault);
        return rate != null && draw(fault.name(), channel, number) < rate;
    }

    /** A number in [0, 1), always the same for the same question. */
    double draw(String what, String channel, long number) {
        long hash = seed;
        hash = mix(hash ^ what.hashCode());
        hash = mix(hash ^ channel.hashCode());
        hash = mix(hash ^ number);
        return (hash >>> 11) * 0x1.0p-53;
    }

    /** The finalizer of SplitMix64: each bit of the input moves each of the output. */
    private static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    @Override
    public String toString() {
        return "seed " + seed + ", faults " + (rates.isEmpty() ? "none" : new EnumMap<>(rates));
    }
}
