package dev.postroad.fuzzing;

import java.util.Locale;

/**
 * What Jazzer calls, in the process that it runs in: one target, named by a system property. A finding is thrown, so that
 * Jazzer keeps the input. Time and memory are not held here: the code is instrumented.
 */
public final class JazzerTarget {
    /** Names the target. */
    static final String TARGET_PROPERTY = "postroad.fuzz.target";

    private static final Target TARGET = target();

    private JazzerTarget() {}

    private static Target target() {
        String name = System.getProperty(TARGET_PROPERTY, "");
        Target target = Targets.named(name);
        if (target == null) {
            throw new IllegalStateException(
                    String.format(Locale.ROOT, "-D%s=%s names no target", TARGET_PROPERTY, name));
        }
        return target;
    }

    /** One execution. */
    public static void fuzzerTestOneInput(byte[] input) {
        try {
            TARGET.decoder().decode(input);
        } catch (Throwable e) {
            if (!TARGET.refusal().test(e)) {
                throw new AssertionError(TARGET.name() + " threw " + e, e);
            }
        }
    }
}
