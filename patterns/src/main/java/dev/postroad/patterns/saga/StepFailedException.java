package dev.postroad.patterns.saga;

/** Thrown by a participant that did not do its step and will not, however often it is asked: the saga undoes what was done. */
public final class StepFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** @param reason kept with the saga, for people */
    public StepFailedException(String reason) {
        super(reason);
    }
}
