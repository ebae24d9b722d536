package dev.postroad.conformance;

/** What a check found not to be so. */
final class CheckFailed extends RuntimeException {
    private static final long serialVersionUID = 1;

    CheckFailed(String found) {
        super(found);
    }
}
