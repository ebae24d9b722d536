package dev.postroad.protocols.http;

import dev.postroad.security.Permission.Action;
import dev.postroad.security.User;
import java.util.Locale;

/** Who asks, and what they may do. */
record Caller(User user, HttpAccess.Names names) {
    /** Who is let in before anybody asks who it is. */
    static final Caller NOBODY = new Caller(User.GUEST, HttpAccess.Names.PLAIN);

    /** @throws Problem 403 if the user may not do that with a channel or topic of this name */
    void require(Action action, String name) {
        if (user.permissions().isEverything()) {
            return;
        }
        HttpAccess.Name meant = names.of(name);
        if (!user.permissions().allows(action, meant.virtualHost(), meant.local())) {
            throw new Problem(
                    403,
                    "DENIED",
                    "access to '" + name + "' refused for user '" + user.name() + "': it needs the permission to "
                            + action.name().toLowerCase(Locale.ROOT));
        }
    }

    /** @throws Problem 403 unless the user may do everything, or has this tag or that of administrators */
    void requireAll(String tag) {
        if (!user.permissions().isEverything()
                && !user.isAdministrator()
                && !user.tags().contains(tag)) {
            throw new Problem(
                    403,
                    "DENIED",
                    "refused for user '" + user.name() + "': it needs all permissions, or the tag " + tag);
        }
    }
}
