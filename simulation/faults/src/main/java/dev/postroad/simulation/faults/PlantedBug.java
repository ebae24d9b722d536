package dev.postroad.simulation.faults;

import org.jspecify.annotations.Nullable;

/**
 * A bug put into the real sources, to see whether the checks catch it.
 *
 * @param name a few words with hyphens
 * @param file the source file, from the package's folder on: {@code journal/Journal.java}
 * @param original a snippet that the file holds exactly once
 * @param replacement what stands there instead
 * @param why what it breaks
 * @param first the check that is likely to catch it soonest
 * @param theme the programs that are likely to show it to that check; null where any do, or none are run
 */
record PlantedBug(
        String name,
        String file,
        String original,
        String replacement,
        String why,
        BugHunt.Check first,
        @Nullable String theme) {

    /** This one, which another check is likely to catch first. */
    PlantedBug foundBy(BugHunt.Check check) {
        return new PlantedBug(name, file, original, replacement, why, check, theme);
    }

    /** This one, which the programs of a theme are likely to show. */
    PlantedBug shownIn(String programs) {
        return new PlantedBug(name, file, original, replacement, why, first, programs);
    }

    String path() {
        return "dev/postroad/" + file;
    }

    /**
     * The source with the bug in it.
     *
     * @throws IllegalStateException if the snippet is not there once: the list must follow the sources
     */
    String plant(String source) {
        int at = source.indexOf(original);
        if (at < 0 || source.indexOf(original, at + 1) >= 0) {
            throw new IllegalStateException("The planted bug '" + name + "' does not fit any more: its snippet is "
                    + (at < 0 ? "not in " : "more than once in ") + file
                    + ". Adapt the snippet to what the code says now:\n" + original);
        }
        return source.substring(0, at) + replacement + source.substring(at + original.length());
    }
}
