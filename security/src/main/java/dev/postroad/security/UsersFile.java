package dev.postroad.security;

import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The users of a server, in a file that only its owner may read: a line {@code name:tags:hash} for each, tags separated by
 * commas, {@code -} for a user without a password, who logs in by a certificate. Such a user may do everything; one whose line
 * has a fourth part, what it says: {@code host,configure,write,read} for each virtual host, separated by semicolons. In that
 * part percent signs, commas, semicolons, colons, blanks and control characters are written as in URLs, {@code %2C}. Lines that
 * begin with {@code #} are comments, and are not kept when the file is written anew.
 *
 * <p>A change replaces the file in one step and is on disk when the method returns. Programs that change it at the same time
 * wait for each other. Safe for use by many threads.
 */
public final class UsersFile {
    private static final String HEADER = "# The users of a Postroad server. Change them with: postroad users\n";
    private static final String NO_PASSWORD = "-";
    private static final int MAX_BYTES = 16 * 1024 * 1024;
    private static final int MAX_NAME_BYTES = 255;
    private static final int MAX_TAGS = 32;
    /** The system keeps processes apart by the lock on the disk, but not the threads of one. */
    private static final Object CHANGING = new Object();

    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rw-------");

    private final Path file;
    private final int iterations;

    private UsersFile(Path file, int iterations) {
        this.file = file;
        this.iterations = iterations;
    }

    /** The file at this path, which need not exist yet. */
    public static UsersFile at(Path file) {
        return new UsersFile(file, PasswordHash.ITERATIONS);
    }

    /** The same with another cost of new hashes, 1,000 to 10,000,000 iterations: for tests that make many. */
    public UsersFile withIterations(int newIterations) {
        if (newIterations < PasswordHash.MIN_ITERATIONS || newIterations > PasswordHash.MAX_ITERATIONS) {
            throw new IllegalArgumentException("iterations is " + newIterations + "; it must be 1,000 to 10,000,000");
        }
        return new UsersFile(file, newIterations);
    }

    public Path path() {
        return file;
    }

    /** A user and how the password is checked; null if it has none. */
    record Entry(User user, @Nullable PasswordHash hash) {}

    // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * All users in order of their names.
     *
     * @throws AccessException if the file is missing, can't be read, others may read it, or a line of it is wrong
     */
    public List<User> list() {
        return load().values().stream().map(Entry::user).toList();
    }

    /** The user of this name; empty if there is none. */
    public Optional<User> find(String name) {
        return Optional.ofNullable(load().get(name)).map(Entry::user);
    }

    /** The hash of a user's password as it is stored; empty if there is no such user or it has no password. */
    public Optional<String> passwordHash(String name) {
        return Optional.ofNullable(load().get(name)).map(Entry::hash).map(PasswordHash::encoded);
    }

    Map<String, Entry> load() {
        try {
            requirePrivate();
            if (Files.size(file) > MAX_BYTES) {
                throw new AccessException(file + " is larger than 16 MiB: it is no file of users");
            }
            return parse(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                    .toString());
        } catch (NoSuchFileException e) {
            throw new AccessException(
                    "there is no file of users " + file + "; 'postroad users add NAME --users " + file + "' makes it",
                    e);
        } catch (CharacterCodingException e) {
            throw new AccessException(file + " is no UTF-8 text", e);
        } catch (IOException e) {
            throw new AccessException(file + " can't be read: " + e.getMessage(), e);
        }
    }

    private void requirePrivate() throws IOException {
        if (!isPosix()) {
            return;
        }
        Set<PosixFilePermission> others = Files.getPosixFilePermissions(file);
        others.removeAll(Set.of(
                PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE));
        if (!others.isEmpty()) {
            throw new AccessException(
                    file + " may be used by others than its owner; it holds password hashes: chmod 600 " + file);
        }
    }

    private boolean isPosix() {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private Map<String, Entry> parse(String text) {
        Map<String, Entry> users = new TreeMap<>();
        int number = 0;
        for (String line : text.split("\n", -1)) {
            number++;
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            try {
                String[] parts = line.strip().split(":", -1);
                if (parts.length < 3 || parts.length > 4) {
                    throw new IllegalArgumentException(
                            "a user is written name:tags:hash or name:tags:hash:permissions");
                }
                User user = new User(
                        checkName(parts[0]),
                        tags(parts[1]),
                        parts.length == 3 ? Permissions.EVERYTHING : permissions(parts[3]));
                PasswordHash hash = parts[2].equals(NO_PASSWORD) ? null : PasswordHash.parse(parts[2]);
                if (users.put(user.name(), new Entry(user, hash)) != null) {
                    throw new IllegalArgumentException("the user '" + user.name() + "' is there twice");
                }
            } catch (IllegalArgumentException e) {
                throw new AccessException(file + ":" + number + ": " + e.getMessage(), e);
            }
        }
        return users;
    }

    private static Set<String> tags(String text) {
        Set<String> tags = new TreeSet<>();
        for (String tag : text.split(",")) {
            if (!tag.isBlank()) {
                tags.add(tag.strip());
            }
        }
        return checkTags(tags);
    }

    private static Permissions permissions(String text) {
        Map<String, Permission> byHost = new TreeMap<>();
        for (String each : text.isEmpty() ? new String[0] : text.split(";", -1)) {
            String[] parts = each.split(",", -1);
            if (parts.length != 4) {
                throw new IllegalArgumentException(
                        "permissions are written host,configure,write,read; '" + shown(each) + "' is not");
            }
            Permission permission = Permission.of(plain(parts[1]), plain(parts[2]), plain(parts[3]));
            if (byHost.put(plain(parts[0]), permission) != null) {
                throw new IllegalArgumentException("the virtual host '" + shown(plain(parts[0])) + "' is there twice");
            }
        }
        return Permissions.of(byHost);
    }

    private static String plain(String escaped) {
        return URLDecoder.decode(escaped.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static String escaped(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (c <= ' ' || Character.isISOControl(c) || "%,;:".indexOf(c) >= 0 || Character.isWhitespace(c)) {
                out.append(URLEncoder.encode(Character.toString(c), StandardCharsets.UTF_8)
                        .replace("+", "%20"));
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.toString();
    }

    private static String written(Permissions permissions) {
        StringBuilder out = new StringBuilder();
        permissions.byHost().forEach((host, permission) -> {
            out.append(out.isEmpty() ? "" : ";").append(escaped(host));
            for (Permission.Action action : Permission.Action.values()) {
                out.append(',').append(escaped(permission.expression(action)));
            }
        });
        return out.toString();
    }

    private static String checkName(String name) {
        int bytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (bytes == 0 || bytes > MAX_NAME_BYTES || name.startsWith("#") || !name.equals(name.strip())) {
            throw new IllegalArgumentException("a user's name has 1 to " + MAX_NAME_BYTES
                    + " bytes, begins with no '#' and has no spaces around it; '" + shown(name) + "' is none");
        }
        if (name.chars().anyMatch(c -> c == ':' || Character.isISOControl(c))) {
            throw new IllegalArgumentException(
                    "a user's name has no ':' and no control characters; '" + shown(name) + "' has");
        }
        return name;
    }

    private static Set<String> checkTags(Set<String> tags) {
        if (tags.size() > MAX_TAGS) {
            throw new IllegalArgumentException("a user has at most " + MAX_TAGS + " tags, not " + tags.size());
        }
        for (String tag : tags) {
            if (!tag.matches("[A-Za-z0-9_.-]{1,64}")) {
                throw new IllegalArgumentException(
                        "a tag has 1 to 64 letters, digits, '_', '.' or '-'; '" + shown(tag) + "' is none");
            }
        }
        return tags;
    }

    private static String shown(String text) {
        String plain = text.replaceAll("\\p{Cntrl}", "?");
        return plain.length() <= 60 ? plain : plain.substring(0, 60) + "…";
    }

    // ── Changing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Adds a user, and makes the file if it is missing.
     *
     * @param password null for one who logs in by a certificate
     * @throws AccessException if the user is there already, or the file can't be read or written
     * @throws IllegalArgumentException if name, tags or password can't be used
     */
    public void add(String name, Set<String> tags, @Nullable Secret password) {
        User user = new User(checkName(name), checkTags(tags));
        PasswordHash hash = password == null ? null : PasswordHash.of(password, iterations);
        change(true, users -> {
            if (users.putIfAbsent(name, new Entry(user, hash)) != null) {
                throw new AccessException("there is a user '" + name + "' already");
            }
            return users;
        });
    }

    /**
     * Adds a user or changes it to this. What it may do stays as it is; one who is new may do nothing, until {@link
     * #changePermissions} says otherwise.
     *
     * @param password null for one who logs in by a certificate
     * @return true if it is new
     */
    public boolean put(String name, Set<String> tags, @Nullable Secret password) {
        return put(name, tags, password == null ? null : PasswordHash.of(password, iterations));
    }

    /**
     * Adds a user or changes it to this, as {@link #put(String, Set, Secret)}, with a hash that another broker or {@link
     * #passwordHash} gave.
     *
     * @param algorithm the name that RabbitMQ gives its algorithm, or {@link #HASHING_ALGORITHM}
     * @return true if it is new
     * @throws IllegalArgumentException if name, tags, algorithm or hash can't be used
     */
    public boolean putHashed(String name, Set<String> tags, String algorithm, String hash) {
        return put(
                name,
                tags,
                algorithm.equals(HASHING_ALGORITHM)
                        ? PasswordHash.parse(hash)
                        : PasswordHash.ofRabbitMq(algorithm, hash, iterations));
    }

    /** How hashes of this file are called. */
    public static final String HASHING_ALGORITHM = "postroad_pbkdf2";

    private boolean put(String name, Set<String> tags, @Nullable PasswordHash hash) {
        checkName(name);
        checkTags(tags);
        boolean[] added = new boolean[1];
        change(true, users -> {
            Entry known = users.get(name);
            added[0] = known == null;
            Permissions permissions =
                    known == null ? Permissions.NOTHING : known.user().permissions();
            users.put(name, new Entry(new User(name, tags, permissions), hash));
            return users;
        });
        return added[0];
    }

    /** Changes a password. @throws AccessException if there is no such user */
    public void setPassword(String name, Secret password) {
        PasswordHash hash = PasswordHash.of(password, iterations);
        replace(name, entry -> new Entry(entry.user(), hash));
    }

    /** Changes a user's tags. @throws AccessException if there is no such user */
    public void setTags(String name, Set<String> tags) {
        checkTags(tags);
        replace(name, entry -> new Entry(new User(name, tags, entry.user().permissions()), entry.hash()));
    }

    /**
     * Changes what a user may do.
     *
     * @param change of what it may do now, within the lock on the file
     * @return false if that changes nothing
     * @throws AccessException if there is no such user
     */
    public boolean changePermissions(String name, UnaryOperator<Permissions> change) {
        boolean[] changed = new boolean[1];
        replace(name, entry -> {
            User user = entry.user();
            Permissions next = change.apply(user.permissions());
            changed[0] = !next.equals(user.permissions());
            return new Entry(new User(user.name(), user.tags(), next), entry.hash());
        });
        return changed[0];
    }

    private void replace(String name, UnaryOperator<Entry> with) {
        change(false, users -> {
            Entry entry = users.get(name);
            if (entry == null) {
                throw new AccessException("there is no user '" + shown(name) + "'");
            }
            users.put(name, with.apply(entry));
            return users;
        });
    }

    /** Deletes a user. @return false if there was none */
    public boolean delete(String name) {
        boolean[] deleted = new boolean[1];
        change(false, users -> {
            deleted[0] = users.remove(name) != null;
            return users;
        });
        return deleted[0];
    }

    private void change(boolean make, UnaryOperator<Map<String, Entry>> change) {
        Path absolute = file.toAbsolutePath();
        Path lock = absolute.resolveSibling(absolute.getFileName() + ".lock");
        // A lock on the file itself would be on the one that is being replaced.
        synchronized (CHANGING) {
            try (FileChannel channel = FileChannel.open(
                            lock, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), privately());
                    var held = channel.lock()) {
                if (!held.isValid()) {
                    throw new IOException("the lock " + lock + " was lost");
                }
                boolean there = Files.exists(file) || !make;
                write(absolute, change.apply(there ? load() : new TreeMap<>()));
            } catch (IOException e) {
                throw new AccessException(file + " can't be written: " + e.getMessage(), e);
            }
        }
    }

    private void write(Path absolute, Map<String, Entry> users) throws IOException {
        StringBuilder text = new StringBuilder(HEADER);
        users.forEach((name, entry) -> text.append(name)
                .append(':')
                .append(String.join(",", entry.user().tags()))
                .append(':')
                .append(entry.hash() == null ? NO_PASSWORD : entry.hash().encoded())
                .append(
                        entry.user().permissions().isEverything()
                                ? ""
                                : ":" + written(entry.user().permissions()))
                .append('\n'));
        Path next = absolute.resolveSibling(absolute.getFileName() + ".new");
        Files.deleteIfExists(next);
        Set<OpenOption> options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try (FileChannel out = FileChannel.open(next, options, privately())) {
            ByteBuffer bytes = StandardCharsets.UTF_8.encode(text.toString());
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            out.force(true);
        }
        Files.move(next, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Path folder = absolute.getParent();
        if (isPosix() && folder != null) {
            try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
                directory.force(true);
            }
        }
    }

    private FileAttribute<?>[] privately() {
        return isPosix()
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PRIVATE)}
                : new FileAttribute<?>[0];
    }

    /** Tells one state of the file from another. */
    record Stamp(long modifiedMillis, long size, @Nullable Object key) {}

    Stamp stamp() throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return new Stamp(attributes.lastModifiedTime().toMillis(), attributes.size(), attributes.fileKey());
    }
}
