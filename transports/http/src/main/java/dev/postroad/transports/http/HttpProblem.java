package dev.postroad.transports.http;

import java.util.List;

/** What the server said: the cause of an exception of the contract. */
final class HttpProblem extends Exception {
    private static final long serialVersionUID = 1;

    private final transient List<String> lost;

    HttpProblem(int status, String reason, String detail, List<String> lost) {
        super("status " + status + ", " + reason + ": " + detail, null, false, false);
        this.lost = List.copyOf(lost);
    }

    /** The deliveries that were no longer the client's. */
    List<String> lost() {
        return lost;
    }
}
