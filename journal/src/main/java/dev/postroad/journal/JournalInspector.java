package dev.postroad.journal;

import java.io.IOException;

/** Looks at a data directory without opening it as a journal, and saves what can be saved of a damaged one. */
public final class JournalInspector {
    private JournalInspector() {}

    /**
     * Reads everything that is there, verifies it, and changes nothing. Works on a directory that is in use, too; what is
     * being written meanwhile may then look unfinished.
     *
     * @throws JournalException if the directory cannot be read or has a newer format
     */
    public static JournalReport inspect(Storage storage) throws IOException {
        return inspect(new Inspection(storage));
    }

    static JournalReport inspect(Inspection inspection) throws IOException {
        try {
            inspection.run();
            return inspection.report();
        } finally {
            inspection.directory.close();
        }
    }

    /**
     * Writes a clean copy of a directory: every record that can be read, at the position it has. What cannot be read is
     * replaced by placeholders, so that the copy opens without complaint; reading a position in them still fails with
     * {@link CorruptRecordException}. A torn tail is left out.
     *
     * @param from the directory to save, which is not changed
     * @param to an empty directory
     * @return what was found in {@code from}
     * @throws JournalException if {@code to} is not empty, or one of them cannot be read or written
     */
    public static JournalReport salvage(Storage from, Storage to) throws IOException {
        for (String name : to.list()) {
            if (!name.equals(Format.LOCK_NAME)) {
                throw new JournalException("The directory to salvage into, " + to.location() + ", is not empty: it has "
                        + name + ". Choose an empty one.");
            }
        }
        Inspection inspection = new Inspection(from);
        try {
            inspection.run();
            new Salvage(from, to, inspection).run();
            return inspection.report();
        } finally {
            inspection.directory.close();
        }
    }
}
