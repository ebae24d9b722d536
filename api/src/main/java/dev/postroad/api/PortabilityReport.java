package dev.postroad.api;

import java.util.List;

/**
 * What a channel needs, and how the transport meets each need. {@link #toString} is a table for people.
 *
 * @param channel name of the channel
 * @param transport url of the transport
 * @param entries a line for each need of the channel
 */
public record PortabilityReport(String channel, String transport, List<Entry> entries) {
    public PortabilityReport {
        entries = List.copyOf(entries);
    }

    /**
     * One need of the channel.
     *
     * @param need what
     * @param because the setting that asks for it, {@code dedupWindow = PT1H} for example
     * @param capability how the transport meets it; impossible also where it reaches less far in time than is asked
     */
    public record Entry(Need need, String because, Capability capability) {}

    /** True if nothing is impossible. */
    public boolean portable() {
        return entries.stream().noneMatch(e -> e.capability().support() == Capability.Support.IMPOSSIBLE);
    }

    @Override
    public String toString() {
        StringBuilder table = new StringBuilder("channel '" + channel + "' on " + transport + "\n");
        for (Entry entry : entries) {
            Capability capability = entry.capability();
            table.append(String.format(
                    "  %-20s %-10s %-36s %s%n",
                    entry.need(),
                    capability.support().name().toLowerCase(java.util.Locale.ROOT),
                    entry.because(),
                    capability.note()));
        }
        return table.toString();
    }
}
