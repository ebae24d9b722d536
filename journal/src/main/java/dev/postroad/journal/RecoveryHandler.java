package dev.postroad.journal;

import java.io.IOException;

/**
 * Receives what a journal holds while it is opened, on the thread that opens it: {@link #recovering}, then the newest
 * checkpoint if there is one, then every batch behind it in the order of positions. An exception thrown here ends the
 * opening and comes out of it.
 */
public interface RecoveryHandler {

    /**
     * Called first, with the journal that is being opened. Until the opening has ended only {@link Journal#retain},
     * {@link Journal#release} and reading records are allowed on it. The live bytes that the checkpoint recorded are
     * set already when {@link #checkpoint} is called; batches behind it must be counted again.
     */
    default void recovering(Journal journal) {}

    /** The newest readable checkpoint, verified as a whole. The stream is valid during the call. */
    void checkpoint(Snapshot snapshot) throws IOException;

    /** One whole batch. The view and its payloads are valid during the call. */
    void batch(BatchView batch) throws IOException;

    /**
     * Damage met on the way, in the order of positions between the batches. Only called for damage that opening goes on
     * after: what cost nothing, or anything at all with {@link JournalSettings.OnDamage#SERVE_REST}.
     */
    default void damaged(DamageReport report) {}
}
