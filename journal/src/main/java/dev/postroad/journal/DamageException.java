package dev.postroad.journal;

import java.util.List;

/**
 * Data that had been stored durably cannot be read any more. The directory was left untouched. {@link #reports()} lists
 * all that was found.
 */
public final class DamageException extends JournalException {
    private static final long serialVersionUID = 1L;

    private final transient List<DamageReport> reports;

    DamageException(String location, List<DamageReport> reports) {
        super(text(location, reports));
        this.reports = List.copyOf(reports);
    }

    /** Every damaged place, in the order of the journal. */
    public List<DamageReport> reports() {
        return reports;
    }

    private static String text(String location, List<DamageReport> reports) {
        StringBuilder text = new StringBuilder();
        text.append("The data in ").append(location).append(" is damaged in ");
        text.append(reports.size()).append(reports.size() == 1 ? " place:" : " places:");
        int shown = Math.min(reports.size(), 20);
        for (DamageReport report : reports.subList(0, shown)) {
            text.append("\n  ").append(report);
        }
        if (shown < reports.size()) {
            text.append("\n  and ").append(reports.size() - shown).append(" more");
        }
        return text.append("\nNothing was changed. Inspect and salvage with: postroad doctor ")
                .append(location)
                .append(" ; or start with on-damage: serve-rest to go on with all that is readable.")
                .toString();
    }
}
