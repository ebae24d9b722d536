package dev.postroad.transports.emulation;

import org.jspecify.annotations.Nullable;

/**
 * A small table that a broker keeps and that every connection knows: names with a text each. It takes as much room as there are
 * names, however often they change. Safe for use by many threads.
 */
public interface Table extends AutoCloseable {

    /**
     * Enters a text unless the name has one: of two that enter a name at the same time all see the same one first. Returns when the
     * broker has it and the reader was told.
     *
     * @throws dev.postroad.api.MessagingException as the broker says
     */
    void enter(String name, String text);

    /** Takes a name out, whatever it has. Returns when the broker has that and the reader was told. */
    void strike(String name);

    /**
     * Returns when the reader has been told of everything that was entered or struck, by anybody, before this call.
     *
     * @throws dev.postroad.api.MessagingException {@code TIMEOUT} or {@code UNREACHABLE}
     */
    void catchUp();

    @Override
    void close();

    /** Opens tables. */
    @FunctionalInterface
    interface Opener {
        /** @param name of the table */
        Table open(String name, Reader reader);
    }

    /** Is told what is in a table, on one thread at a time. */
    @FunctionalInterface
    interface Reader {
        /** @param text null when the name is struck; to be ignored for a name that has one */
        void read(String name, @Nullable String text);
    }
}
