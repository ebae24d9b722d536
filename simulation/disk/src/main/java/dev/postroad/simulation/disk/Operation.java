package dev.postroad.simulation.disk;

/**
 * One call on a {@link SimulatedDisk}.
 *
 * @param number counted from 1 over the life of the disk
 * @param kind what it does
 * @param file the name of the file; empty for calls on the directory as a whole
 * @param position where in the file, in bytes; 0 where that has no meaning
 * @param bytes how many bytes it is about; 0 where that has no meaning
 */
public record Operation(long number, Kind kind, String file, long position, long bytes) {

    /** What a call does. */
    public enum Kind {
        CREATE,
        OPEN,
        LIST,
        EXISTS,
        RENAME,
        DELETE,
        SYNC_DIRECTORY,
        USABLE_BYTES,
        READ,
        WRITE,
        FORCE,
        SIZE,
        TRUNCATE,
        ALLOCATE;

        /** Whether the call can change what a crash leaves behind. */
        public boolean changes() {
            return switch (this) {
                case CREATE, RENAME, DELETE, SYNC_DIRECTORY, WRITE, FORCE, TRUNCATE, ALLOCATE -> true;
                case OPEN, LIST, EXISTS, USABLE_BYTES, READ, SIZE -> false;
            };
        }
    }

    @Override
    public String toString() {
        return number + " " + kind + " " + file + (bytes == 0 && position == 0 ? "" : " @" + position + "+" + bytes);
    }
}
