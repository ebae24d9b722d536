package dev.postroad.simulation.disk;

import org.jspecify.annotations.Nullable;

/** One change that a crash may still undo: to the bytes of a file, or to a name. */
sealed interface Pending {

    /** Bytes written to a file. */
    record Write(Inode inode, long position, byte[] bytes) implements Pending {
        @Override
        public String toString() {
            return "write " + inode + " @" + position + "+" + bytes.length;
        }
    }

    /** A new length. */
    record Resize(Inode inode, long size) implements Pending {
        @Override
        public String toString() {
            return "resize " + inode + " to " + size;
        }
    }

    /** A name that now means this file, and perhaps a name that does not any more. */
    record Link(Inode inode, String to, @Nullable String from) implements Pending {
        @Override
        public String toString() {
            return from == null ? "create " + to : "rename " + from + " to " + to;
        }
    }

    /** A name that is gone. */
    record Unlink(String name) implements Pending {
        @Override
        public String toString() {
            return "delete " + name;
        }
    }
}
