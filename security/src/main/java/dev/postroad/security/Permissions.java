package dev.postroad.security;

import dev.postroad.security.Permission.Action;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a user may do, by virtual host; nothing in a host that is not named. Or {@link #EVERYTHING}, everywhere: then nothing is
 * ever asked.
 */
public final class Permissions {
    /** Everything, in every virtual host. */
    public static final Permissions EVERYTHING = new Permissions(null);

    /** Nothing, in none. */
    public static final Permissions NOTHING = new Permissions(Map.of());

    /** Null for everything. */
    private final @Nullable Map<String, Permission> byHost;

    private Permissions(@Nullable Map<String, Permission> byHost) {
        this.byHost = byHost;
    }

    /** These, and nothing else. */
    public static Permissions of(Map<String, Permission> byHost) {
        return new Permissions(Collections.unmodifiableMap(new TreeMap<>(byHost)));
    }

    public boolean isEverything() {
        return byHost == null;
    }

    /** What may be done in a virtual host; empty if it may not be entered. */
    public Optional<Permission> in(String virtualHost) {
        return byHost == null ? Optional.of(Permission.ALL) : Optional.ofNullable(byHost.get(virtualHost));
    }

    public boolean allows(Action action, String virtualHost, String name) {
        if (byHost == null) {
            return true;
        }
        Permission permission = byHost.get(virtualHost);
        return permission != null && permission.allows(action, name);
    }

    /** By virtual host; empty for {@link #EVERYTHING}, which names none. */
    public Map<String, Permission> byHost() {
        return byHost == null ? Map.of() : byHost;
    }

    /** With another permission in a virtual host; null for none. From {@link #EVERYTHING} on, only what is said remains. */
    public Permissions with(String virtualHost, @Nullable Permission permission) {
        Map<String, Permission> next = new TreeMap<>(byHost());
        if (permission == null) {
            next.remove(virtualHost);
        } else {
            next.put(virtualHost, permission);
        }
        return of(next);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Permissions that
                && isEverything() == that.isEverything()
                && byHost().equals(that.byHost());
    }

    @Override
    public int hashCode() {
        return byHost().hashCode();
    }

    @Override
    public String toString() {
        return byHost == null ? "everything" : byHost.toString();
    }
}
