package dev.postroad.security;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Makes whoever fails to log in wait. Failures count by address and name, and with ten times the patience by address alone:
 * one program of a machine with a wrong password does not lock out the others at once. Past the patience each failure doubles
 * the wait, to half a minute; an hour without one forgets it.
 */
final class Backoff {
    private static final int MOST = 20_000;
    private static final int PATIENCE = 5;
    private static final int PATIENCE_WITH_ADDRESS = 50;
    private static final long FIRST_WAIT = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_WAIT = TimeUnit.SECONDS.toNanos(30);
    private static final long FORGOTTEN_AFTER = TimeUnit.HOURS.toNanos(1);

    private final LongSupplier nanoTime;
    /** The one that failed longest ago goes first when there are too many. */
    private final Map<Key, Failures> failures = new LinkedHashMap<>();

    Backoff(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** The name is shortened to its hash: memory must not grow with what strangers send. */
    private record Key(String address, int name) {}

    private record Failures(int count, long last, long until) {}

    /** How long this peer has to wait, in nanoseconds; 0 or less if it need not. */
    synchronized long remaining(InetAddress address, String name) {
        long now = nanoTime.getAsLong();
        return Math.max(remaining(keyOf(address, name), now), remaining(keyOf(address), now));
    }

    private long remaining(Key key, long now) {
        Failures known = failures.get(key);
        return known == null || known.until == known.last ? 0 : known.until - now;
    }

    synchronized void failed(InetAddress address, String name) {
        long now = nanoTime.getAsLong();
        count(keyOf(address, name), PATIENCE, now);
        count(keyOf(address), PATIENCE_WITH_ADDRESS, now);
        while (failures.size() > MOST) {
            failures.remove(failures.keySet().iterator().next());
        }
    }

    private void count(Key key, int patience, long now) {
        Failures known = failures.remove(key);
        int count = known == null || now - known.last > FORGOTTEN_AFTER ? 1 : known.count + 1;
        int past = Math.min(count - patience, 16);
        long wait = past < 0 ? 0 : Math.min(FIRST_WAIT << past, LONGEST_WAIT);
        failures.put(key, new Failures(count, now, now + wait));
    }

    synchronized void succeeded(InetAddress address, String name) {
        failures.remove(keyOf(address, name));
    }

    private static Key keyOf(InetAddress address, String name) {
        return new Key(network(address), name.hashCode() | 1);
    }

    private static Key keyOf(InetAddress address) {
        return new Key(network(address), 0);
    }

    /** A machine has a whole /64 of IPv6 to come from. */
    private static String network(InetAddress address) {
        byte[] bytes = address.getAddress();
        return Arrays.toString(address instanceof Inet6Address ? Arrays.copyOf(bytes, 8) : bytes);
    }

    /** How many addresses and names are remembered, for the test of the bound. */
    synchronized int size() {
        return failures.size();
    }
}
