package dev.postroad.security;

import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;

/**
 * Somebody who logged in.
 *
 * @param name 1 to 255 bytes of UTF-8, no control characters
 * @param tags what kind of user it is: {@link #ADMINISTRATOR}, {@link #MONITORING} … or words of the operator's own
 * @param permissions what may be done with queues and exchanges
 */
public record User(String name, Set<String> tags, Permissions permissions) {
    /** The tag of those who may change the broker and its users over the management interface. */
    public static final String ADMINISTRATOR = "administrator";

    /** The tag of those who may see all of the management interface. */
    public static final String MONITORING = "monitoring";

    /** Whoever comes from this machine where no users are configured. */
    public static final User GUEST = new User("guest", Set.of(ADMINISTRATOR));

    /** A user who may do everything with queues and exchanges. */
    public User(String name, Set<String> tags) {
        this(name, tags, Permissions.EVERYTHING);
    }

    public User {
        tags = Collections.unmodifiableSet(new TreeSet<>(tags));
    }

    public boolean isAdministrator() {
        return tags.contains(ADMINISTRATOR);
    }
}
