package dev.postroad.benchmarks;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.HdrHistogram.AbstractHistogram;

/**
 * Figures by name, as one round gave them; also as the line by which a worker tells them. Times are in microseconds unless the
 * name says otherwise.
 */
final class Measurement {
    /** Messages a second. */
    static final String RATE = "rate";

    /** Messages a second out of a backlog. */
    static final String DRAIN = "drain";

    /** Processor time of the whole process per message. */
    static final String CPU = "cpu";

    /** Sent to confirmed. */
    static final String CONFIRM = "confirm";

    /** Sent to received. */
    static final String END_TO_END = "e2e";

    private final Map<String, Double> figures = new LinkedHashMap<>();

    Measurement with(String name, double value) {
        figures.put(name, value);
        return this;
    }

    /** Adds {@code NAME.p50}, {@code NAME.p99} and {@code NAME.p999}; nothing for a histogram that is empty. */
    Measurement with(String name, AbstractHistogram nanos) {
        if (nanos.getTotalCount() > 0) {
            with(name + ".p50", nanos.getValueAtPercentile(50) / 1000.0);
            with(name + ".p99", nanos.getValueAtPercentile(99) / 1000.0);
            with(name + ".p999", nanos.getValueAtPercentile(99.9) / 1000.0);
        }
        return this;
    }

    /** Whether more of this figure is better: of rates, but not of times, memory or processor time. */
    static boolean isBetterHigh(String name) {
        return name.equals(RATE)
                || name.equals(DRAIN)
                || name.equals("fill")
                || name.equals(TransportScenario.SEND)
                || name.equals(TransportScenario.RECEIVE);
    }

    OptionalDouble get(String name) {
        Double value = figures.get(name);
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    Map<String, Double> figures() {
        return figures;
    }

    /** {@code name=value name=value …} */
    String line() {
        StringBuilder line = new StringBuilder();
        figures.forEach((name, value) -> line.append(line.isEmpty() ? "" : " ")
                .append(name)
                .append('=')
                .append(String.format(Locale.ROOT, "%.4f", value)));
        return line.toString();
    }

    static Measurement parse(String line) {
        Measurement measurement = new Measurement();
        for (String figure : line.trim().split(" +")) {
            int equals = figure.indexOf('=');
            if (equals > 0) {
                measurement.with(figure.substring(0, equals), Double.parseDouble(figure.substring(equals + 1)));
            }
        }
        return measurement;
    }
}
