package dev.postroad.cli;

/** The exit codes of all commands. Scripts rely on them: they do not change. */
final class ExitCode {
    /** Done as asked. */
    static final int OK = 0;

    /** Refused or failed, or something is not as it should be: damage found, books that don't balance. */
    static final int FAILED = 1;

    /** The command line, a configuration file or an argument is wrong; nothing was done. */
    static final int USAGE = 2;

    /** There is no such channel, group, message, file or directory. */
    static final int NOT_FOUND = 3;

    /** The broker can't be reached, or the data directory is in use by another process. */
    static final int UNAVAILABLE = 4;

    /** Not done within the time given. */
    static final int TIMEOUT = 124;

    /** Ended by SIGINT (Ctrl-C); SIGTERM gives 143. */
    static final int INTERRUPTED = 130;

    /** For people: {@code postroad help exit-codes}. */
    static final String TEXT = """
            Exit codes of every postroad command:

                0   done as asked
                1   refused or failed; also: doctor found damage, a conformance check failed,
                    the books of the demo do not balance
                2   the command line or a configuration file is wrong; nothing was done
                3   there is no such channel, group, message, file or directory
                4   the broker can't be reached, or another process holds the data directory
              124   not done within the time given (--timeout)
              130   interrupted by Ctrl-C (SIGINT)
              143   ended by SIGTERM; only serve ends in good order then, with 0

            What was wrong is told on stderr.
            """;

    private ExitCode() {}
}
