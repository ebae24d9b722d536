package dev.postroad.security;

import dev.postroad.security.UsersFile.Entry;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Checks against a file of users, which it looks at again within a second of a change.
 *
 * <p>Hashing is slow on purpose, and some protocols log in with every request. So a password that was right is remembered for
 * as long as the stored hash is the same: not itself, but as a MAC under a key that this process made and never shows. A wrong
 * one is hashed each time, by a bounded number of threads.
 */
final class UsersAuthenticator implements Authenticator {
    private static final System.Logger LOG = System.getLogger(UsersAuthenticator.class.getName());
    private static final long LOOK_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long TURN_SECONDS = 10;
    private static final int REMEMBERED = 10_000;
    private static final int MAX_NAME = 1024;
    private static final Login WRONG = new Login.Refused("login refused for the name and password given");

    private final UsersFile file;
    private final boolean insecure;
    private final LongSupplier nanoTime;
    private final Backoff backoff;
    private final Semaphore hashing =
            new Semaphore(Math.max(1, Runtime.getRuntime().availableProcessors() / 2), true);
    private final SecretKeySpec key;
    private final Map<String, Boolean> verified = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > REMEMBERED;
        }
    };
    private volatile Users users;

    /** The file as it was read; the cost is the most iterations of any hash in it. */
    private record Users(Map<String, Entry> entries, UsersFile.Stamp stamp, long lookedAt, int cost) {}

    UsersAuthenticator(UsersFile file, boolean insecure, LongSupplier nanoTime) {
        this.file = file;
        this.insecure = insecure;
        this.nanoTime = nanoTime;
        this.backoff = new Backoff(nanoTime);
        byte[] bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        this.key = new SecretKeySpec(bytes, "HmacSHA256");
        try {
            this.users = read();
        } catch (IOException e) {
            throw new AccessException(file.path() + " can't be read: " + e.getMessage(), e);
        }
    }

    private Users read() throws IOException {
        UsersFile.Stamp stamp = stampOrMissing();
        Map<String, Entry> entries = file.load();
        int cost = 0;
        for (Entry entry : entries.values()) {
            PasswordHash hash = entry.hash();
            cost = Math.max(cost, hash == null ? 0 : hash.iterations());
        }
        return new Users(entries, stamp, nanoTime.getAsLong(), cost == 0 ? PasswordHash.ITERATIONS : cost);
    }

    private UsersFile.Stamp stampOrMissing() throws IOException {
        try {
            return file.stamp();
        } catch (NoSuchFileException e) {
            return new UsersFile.Stamp(0, -1, null);
        }
    }

    /** A file that can't be read any more leaves in force what was read before, loudly. */
    private Users current() {
        Users known = users;
        long now = nanoTime.getAsLong();
        if (now - known.lookedAt < LOOK_AGAIN_NANOS) {
            return known;
        }
        synchronized (this) {
            known = users;
            if (now - known.lookedAt < LOOK_AGAIN_NANOS) {
                return known;
            }
            Users next = new Users(known.entries, known.stamp, now, known.cost);
            try {
                if (!stampOrMissing().equals(known.stamp)) {
                    next = read();
                    LOG.log(System.Logger.Level.INFO, "{0}: read again, {1} users", file.path(), next.entries.size());
                }
            } catch (IOException | AccessException e) {
                LOG.log(
                        System.Logger.Level.ERROR,
                        "the file of users changed and can't be used, so what it said before holds: {0}",
                        e.getMessage());
            }
            users = next;
            return next;
        }
    }

    @Override
    public List<String> mechanisms(Peer peer) {
        List<String> mechanisms = new ArrayList<>();
        if (peer.certificate() != null) {
            mechanisms.add(EXTERNAL);
        }
        if (peer.encrypted() || peer.isLoopback() || insecure) {
            mechanisms.add(PLAIN);
            mechanisms.add(AMQPLAIN);
        }
        return mechanisms;
    }

    @Override
    public Login login(Credentials credentials, Peer peer) {
        return switch (credentials) {
            case Credentials.Certificate certificate -> byCertificate(peer);
            case Credentials.Password password -> {
                if (!mechanisms(peer).contains(PLAIN)) {
                    yield new Login.Refused("a password is accepted over TLS only");
                }
                if (password.name().length() > MAX_NAME) {
                    yield WRONG;
                }
                yield byPassword(password, peer);
            }
        };
    }

    private Login byPassword(Credentials.Password password, Peer peer) {
        if (backoff.remaining(peer.address(), password.name()) > 0) {
            return new Login.Refused("too many failed logins; try again later");
        }
        Users current = current();
        Entry entry = current.entries.get(password.name());
        PasswordHash hash = entry == null ? null : entry.hash();
        String token = hash == null ? null : token(password, hash);
        boolean right;
        if (token != null && isVerified(token)) {
            right = true;
        } else {
            try {
                if (!hashing.tryAcquire(TURN_SECONDS, TimeUnit.SECONDS)) {
                    return new Login.Refused("too many logins at once; try again");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return new Login.Refused("the login was interrupted");
            }
            try {
                right = hash != null && hash.matches(password.secret());
                PasswordHash.burn(current.cost - (hash == null ? 0 : hash.iterations()));
            } finally {
                hashing.release();
            }
        }
        if (!right || entry == null || token == null) {
            backoff.failed(peer.address(), password.name());
            return WRONG;
        }
        synchronized (verified) {
            verified.put(token, true);
        }
        backoff.succeeded(peer.address(), password.name());
        return new Login.Accepted(entry.user());
    }

    private boolean isVerified(String token) {
        synchronized (verified) {
            return verified.get(token) != null;
        }
    }

    /** Says that this password belongs to this stored hash, to nobody but this process. */
    private String token(Credentials.Password password, PasswordHash hash) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            mac.update(Secret.of(password.name()).bytes());
            mac.update((byte) 0);
            mac.update(Secret.of(hash.encoded()).bytes());
            mac.update((byte) 0);
            return HexFormat.of().formatHex(mac.doFinal(password.secret().bytes()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no HmacSHA256", e);
        }
    }

    private Login byCertificate(Peer peer) {
        X509Certificate certificate = peer.certificate();
        if (certificate == null) {
            return new Login.Refused("the connection has no client certificate");
        }
        String name = CertificateName.commonName(certificate.getSubjectX500Principal());
        Entry entry = name == null ? null : current().entries.get(name);
        return entry == null
                ? new Login.Refused("the subject of the client certificate is no user")
                : new Login.Accepted(entry.user());
    }
}
