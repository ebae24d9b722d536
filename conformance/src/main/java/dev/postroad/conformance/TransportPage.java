package dev.postroad.conformance;

import dev.postroad.api.Capability;
import dev.postroad.api.Need;
import dev.postroad.api.Transport;
import dev.postroad.conformance.ConformanceReport.Outcome;
import dev.postroad.conformance.ConformanceReport.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/**
 * A page that tells what transports guarantee, with a section for each that is written from a run of the kit: below {@code ## Title},
 * up to the next one. A test of the transport holds its section to what it found; with {@code -Dpostroad.write=true} it writes it.
 */
public final class TransportPage {
    private static final String HEADING = "## ";

    private TransportPage() {}

    /**
     * Compares the section of a page with what a run has found, or writes it.
     *
     * @throws AssertionError if the page says otherwise, with what it should say
     */
    public static void hold(Path page, String title, Transport transport, ConformanceReport report) {
        String section = section(title, transport.capabilities(), report);
        try {
            String text = Files.readString(page);
            int from = text.indexOf(HEADING + title + "\n");
            int next = from < 0 ? -1 : text.indexOf("\n" + HEADING, from);
            int to = next < 0 ? text.length() : next + 1;
            String present = from < 0 ? "" : text.substring(from, to);
            if (present.strip().equals(section.strip())) {
                return;
            }
            if (!Boolean.getBoolean("postroad.write")) {
                throw new AssertionError(page + " does not say of '" + title
                        + "' what the kit found; run the test with -Dpostroad.write=true, or write:\n" + section);
            }
            String before = from < 0 ? text.stripTrailing() + "\n\n" : text.substring(0, from);
            String after = from < 0 || next < 0 ? "" : "\n" + text.substring(to);
            Files.writeString(page, before + section + after);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String section(String title, Map<Need, Capability> capabilities, ConformanceReport report) {
        Map<Need, Outcome> worst = new EnumMap<>(Need.class);
        for (Result result : report.results()) {
            if (result.need() != null) {
                worst.merge(result.need(), result.outcome(), TransportPage::worse);
            }
        }
        StringBuilder text =
                new StringBuilder(HEADING + title + "\n\n| need | how | shown | remark |\n|---|---|---|---|\n");
        for (Need need : Need.values()) {
            Capability capability = capabilities.get(need);
            if (capability == null) {
                continue;
            }
            text.append("| ")
                    .append(need.description())
                    .append(" | ")
                    .append(word(capability.support()))
                    .append(" | ")
                    .append(shown(worst.get(need)))
                    .append(" | ")
                    .append(capability.note().replace("|", "\\|"));
            if (capability.upTo() != null) {
                text.append(capability.note().isEmpty() ? "" : "; ")
                        .append("up to ")
                        .append(capability.upTo());
            }
            text.append(" |\n");
        }
        return text.toString();
    }

    private static Outcome worse(Outcome one, Outcome other) {
        if (one == Outcome.FAILED || other == Outcome.FAILED) {
            return Outcome.FAILED;
        }
        return one == Outcome.NOT_PROVEN || one == Outcome.IMPOSSIBLE ? other : one;
    }

    private static String shown(@org.jspecify.annotations.Nullable Outcome outcome) {
        return switch (outcome) {
            case null -> "no check";
            case PASSED -> "yes";
            case IMPOSSIBLE -> "it refuses";
            case NOT_PROVEN -> "could not be tried";
            case FAILED -> "NO";
        };
    }

    private static String word(Capability.Support support) {
        return support.name().toLowerCase(Locale.ROOT);
    }
}
