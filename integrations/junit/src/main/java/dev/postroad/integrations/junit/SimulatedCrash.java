package dev.postroad.integrations.junit;

/**
 * The program has died at this point, as far as the test is concerned. An error, not an exception, so that no {@code catch
 * (Exception)} of the program goes on as if it lived. {@link TestBroker#run} catches it, and so does what runs handlers.
 */
public final class SimulatedCrash extends Error {
    private static final long serialVersionUID = 1;

    SimulatedCrash(String where) {
        super("simulated crash " + where);
    }
}
