package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** Another storage, whose files a test looks over or meddles with. */
class ForwardingStorage implements Storage {
    private final Storage inner;

    ForwardingStorage(Storage inner) {
        this.inner = inner;
    }

    /** What stands for a file of the other storage. */
    StorageFile file(StorageFile file) {
        return file;
    }

    @Override
    public StorageFile create(String name) throws IOException {
        return file(inner.create(name));
    }

    @Override
    public StorageFile open(String name) throws IOException {
        return file(inner.open(name));
    }

    @Override
    public List<String> list() throws IOException {
        return inner.list();
    }

    @Override
    public boolean exists(String name) throws IOException {
        return inner.exists(name);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        inner.rename(from, to);
    }

    @Override
    public void delete(String name) throws IOException {
        inner.delete(name);
    }

    @Override
    public void syncDirectory() throws IOException {
        inner.syncDirectory();
    }

    @Override
    public long usableBytes() throws IOException {
        return inner.usableBytes();
    }

    @Override
    public String location() {
        return inner.location();
    }

    @Override
    public void close() throws IOException {
        inner.close();
    }

    /** Another file. */
    static class File implements StorageFile {
        private final StorageFile inner;

        File(StorageFile inner) {
            this.inner = inner;
        }

        @Override
        public int read(ByteBuffer dst, long position) throws IOException {
            return inner.read(dst, position);
        }

        @Override
        public void write(ByteBuffer src, long position) throws IOException {
            inner.write(src, position);
        }

        @Override
        public void force() throws IOException {
            inner.force();
        }

        @Override
        public void writeBack() throws IOException {
            inner.writeBack();
        }

        @Override
        public long size() throws IOException {
            return inner.size();
        }

        @Override
        public void truncate(long size) throws IOException {
            inner.truncate(size);
        }

        @Override
        public void allocate(long size) throws IOException {
            inner.allocate(size);
        }

        @Override
        public void close() throws IOException {
            inner.close();
        }
    }
}
