package dev.postroad.engine;

/** The value of a header that is there and has none: it stands where other languages have null or void. */
public enum NoValue {
    /** The only one. */
    NONE;

    @Override
    public String toString() {
        return "null";
    }
}
