package dev.postroad.server;

import java.util.List;

/** A configuration that can't be used. The message has a line for each problem: where, which value, what to do. */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient List<String> problems;

    /** @param problems one at least, each {@code file:line:column: what} */
    public ConfigException(List<String> problems) {
        super(String.join("\n", problems), null, false, false);
        this.problems = List.copyOf(problems);
    }

    /** All problems, in the order of the file. */
    public List<String> problems() {
        return problems;
    }
}
