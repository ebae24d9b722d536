package dev.postroad.api;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a transport meets one need.
 *
 * @param need what is needed
 * @param support by what means
 * @param note the cost of an emulation, the reason of an impossibility, or a remark; may be empty
 * @param upTo the longest delay, window or lease it reaches; null for no bound, and where time plays no part
 */
public record Capability(
        Need need, Support support, String note, @Nullable Duration upTo) {

    /** By what means a need is met. */
    public enum Support {
        /** By the broker itself. */
        NATIVE,
        /** By this library on top of the broker, at a cost that the note tells. */
        EMULATED,
        /** Not at all; the note tells why. */
        IMPOSSIBLE
    }

    /** Met by the broker itself. */
    public static Capability nativeSupport(Need need) {
        return new Capability(need, Support.NATIVE, "", null);
    }

    /** Met on top of the broker, at a cost. */
    public static Capability emulated(Need need, String cost) {
        return new Capability(need, Support.EMULATED, cost, null);
    }

    /** Not met, for a reason. */
    public static Capability impossible(Need need, String reason) {
        return new Capability(need, Support.IMPOSSIBLE, reason, null);
    }

    /** This capability, reaching so far in time. */
    public Capability withUpTo(Duration limit) {
        return new Capability(need, support, note, limit);
    }
}
