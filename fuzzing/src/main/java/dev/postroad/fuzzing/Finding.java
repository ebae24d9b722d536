package dev.postroad.fuzzing;

import java.util.Base64;

/**
 * What an input did that it must not.
 *
 * @param what for people
 * @param kind the same for findings that are one: the exception's type, say
 */
record Finding(Target target, String what, String kind, byte[] input) {
    /** The command that shows it again. */
    String replay() {
        return "./postroad fuzz " + target.name() + " --replay "
                + Base64.getEncoder().encodeToString(input);
    }

    String line() {
        return target.name() + ", " + input.length + " bytes: " + what;
    }
}
