package dev.postroad.simulation.disk;

import java.util.Map;
import java.util.TreeMap;

/** The state after a crash while it is put together: starts from what is durable. */
final class Restart {
    private final Map<Integer, Content> contents = new TreeMap<>();
    private final Map<String, Integer> names = new TreeMap<>();

    void durable(Inode inode) {
        contents.computeIfAbsent(inode.number, number -> inode.durable.copy());
    }

    void durable(String name, Inode inode) {
        names.put(name, inode.number);
    }

    void keep(Pending change) {
        switch (change) {
            case Pending.Write write -> keepBytes(write, 0, write.bytes().length);
            case Pending.Resize resize -> content(resize.inode()).resize(resize.size());
            case Pending.Link link -> {
                String from = link.from();
                if (from != null && Integer.valueOf(link.inode().number).equals(names.get(from))) {
                    names.remove(from);
                }
                names.put(link.to(), link.inode().number);
            }
            case Pending.Unlink unlink -> names.remove(unlink.name());
        }
    }

    void keepBytes(Pending.Write write, int from, int to) {
        if (from < to) {
            content(write.inode()).write(write.bytes(), from, to - from, write.position() + from);
        }
    }

    void put(Pending.Write write, int from, byte[] other) {
        content(write.inode()).write(other, 0, other.length, write.position() + from);
    }

    /** The file has become longer, the bytes are not there. */
    void keepLength(Pending.Write write) {
        Content content = content(write.inode());
        content.resize(Math.max(content.size(), write.position() + write.bytes().length));
    }

    /** The bytes are there, the file has not become longer. */
    void loseLength(Pending.Write write) {
        content(write.inode())
                .resize(Math.min(
                        content(write.inode()).size(),
                        Math.max(write.inode().durable.size(), write.position())));
    }

    Content content(Inode inode) {
        return contents.computeIfAbsent(inode.number, number -> new Content());
    }

    Map<String, Content> files() {
        Map<String, Content> files = new TreeMap<>();
        names.forEach((name, number) -> files.put(name, contents.getOrDefault(number, new Content())));
        return files;
    }
}
