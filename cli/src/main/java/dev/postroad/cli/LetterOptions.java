package dev.postroad.cli;

import dev.postroad.api.DeadLetter;
import dev.postroad.patterns.deadletters.LetterFilter;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which dead letters are meant; those that all of it fits. */
final class LetterOptions {
    @Option(names = "--filter", paramLabel = "RULE", description = "Only those that match this rule.")
    private @Nullable String filter;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Only those with this in their reason, in any case.")
    private @Nullable String reason;

    @Option(names = "--exception", paramLabel = "CLASS", description = "Only those given up for this exception.")
    private @Nullable String exception;

    @Option(
            names = "--cause",
            paramLabel = "WORD",
            description = "Only those: rejected, delivery-limit, expired, overflow, key-order.")
    private @Nullable String cause;

    @Option(names = "--origin", paramLabel = "CHANNEL", description = "Only those that came from this channel.")
    private @Nullable String origin;

    @Option(names = "--key", paramLabel = "KEY", description = "Only those with this key.")
    private @Nullable String key;

    @Option(names = "--id", paramLabel = "ID", description = "Only those with this message id.")
    private @Nullable String id;

    @Option(
            names = "--since",
            paramLabel = "TIME",
            description = "Only those given up then or later: 2h ago, or 2026-11-21T12:00:00Z.")
    private @Nullable String since;

    @Option(names = "--until", paramLabel = "TIME", description = "Only those given up before then.")
    private @Nullable String until;

    /** True if the broker's rule is all there is. */
    boolean ruleAlone() {
        return reason == null
                && exception == null
                && cause == null
                && origin == null
                && key == null
                && id == null
                && since == null
                && until == null;
    }

    @Nullable
    String rule() {
        return filter;
    }

    LetterFilter toFilter() {
        return LetterFilter.ALL
                .withRule(filter)
                .withReason(reason)
                .withException(exception)
                .withCause(causeOf(cause))
                .withOrigin(origin)
                .withKey(key)
                .withId(id)
                .withFrom(moment("--since", since))
                .withTo(moment("--until", until));
    }

    private static DeadLetter.@Nullable Cause causeOf(@Nullable String word) {
        if (word == null) {
            return null;
        }
        for (DeadLetter.Cause each : DeadLetter.Cause.values()) {
            if (each.header().equals(word)) {
                return each;
            }
        }
        throw new CliException(
                ExitCode.USAGE,
                "--cause is '" + word + "'; it must be rejected, delivery-limit, expired, overflow or key-order");
    }

    private static @Nullable Instant moment(String option, @Nullable String text) {
        if (text == null) {
            return null;
        }
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException e) {
            try {
                return Instant.now().minus(Units.duration(text));
            } catch (IllegalArgumentException none) {
                throw new CliException(
                        ExitCode.USAGE,
                        option + " is '" + text + "'; it must be how long ago, such as 2h, or a time such as"
                                + " 2026-11-21T12:00:00Z");
            }
        }
    }
}
