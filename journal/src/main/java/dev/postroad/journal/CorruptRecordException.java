package dev.postroad.journal;

/** What stands at a record's position is not that record: the disk has changed it, or the position is not a record's. */
public final class CorruptRecordException extends JournalException {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final long offset;
    private final long position;

    CorruptRecordException(String location, String file, long offset, long position, String what) {
        super("Record at position " + position + " cannot be read: " + what + " (file " + file + " in " + location
                + ", offset " + offset
                + "). Other records are not affected. Inspect the directory with: postroad doctor "
                + location);
        this.file = file;
        this.offset = offset;
        this.position = position;
    }

    /** The name of the file in the data directory. */
    public String file() {
        return file;
    }

    /** Where in the file the record begins, in bytes. */
    public long offset() {
        return offset;
    }

    /** The record's position in the journal. */
    public long position() {
        return position;
    }
}
