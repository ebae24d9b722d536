package dev.postroad.simulation.faults;

/** How something that was found is shown again: one line for the shell. */
final class Replay {
    /** Names the one case that a test is to look at. */
    static final String PROPERTY = "postroad.image";

    private Replay() {}

    static String line(String test, String image) {
        return "./postroad test -pl simulation/faults -am -Dsurefire.failIfNoSpecifiedTests=false -Dtest=" + test
                + " -D" + PROPERTY + "='" + image + "'";
    }
}
