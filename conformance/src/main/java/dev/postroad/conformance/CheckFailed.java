package dev.postroad.conformance;

/** What a check found not to be so. */
public final class CheckFailed extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** @param found what was found instead */
    public CheckFailed(String found) {
        super(found);
    }
}
