package dev.postroad.protocols.amqp091.management;

import dev.postroad.engine.runtime.Connections;
import dev.postroad.security.Permission;
import dev.postroad.security.Permission.Action;
import dev.postroad.security.Permissions;
import dev.postroad.security.Secret;
import dev.postroad.security.User;
import dev.postroad.security.UsersFile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Users and what they may do in each virtual host. */
final class Users {
    private final @Nullable UsersFile file;
    private final List<String> virtualHosts;
    private final Connections connections;

    Users(@Nullable UsersFile file, List<String> virtualHosts, Connections connections) {
        this.file = file;
        this.virtualHosts = virtualHosts;
        this.connections = connections;
    }

    private List<User> all() {
        return file == null ? List.of(User.GUEST) : file.list();
    }

    private UsersFile changeable() {
        if (file == null) {
            throw ApiProblem.notSupported(
                    "the server has no file of users ('server.users' in its configuration), so there is"
                            + " nobody but guest; 'postroad users add' makes one");
        }
        return file;
    }

    List<Map<String, @Nullable Object>> list() {
        List<Map<String, @Nullable Object>> users = new ArrayList<>();
        for (User user : all()) {
            Map<String, @Nullable Object> json = new LinkedHashMap<>();
            json.put("name", user.name());
            String hash = file == null ? null : file.passwordHash(user.name()).orElse(null);
            json.put("password_hash", hash == null ? "" : hash);
            json.put("hashing_algorithm", UsersFile.HASHING_ALGORITHM);
            json.put("tags", List.copyOf(user.tags()));
            json.put("limits", Map.of());
            users.add(json);
        }
        return users;
    }

    Map<String, @Nullable Object> find(String name) {
        return list().stream()
                .filter(user -> name.equals(user.get("name")))
                .findFirst()
                .orElseThrow(ApiProblem::notFound);
    }

    /** Adds a user or changes it; true if it is new. */
    boolean put(String name, ManagementJson body) {
        UsersFile users = changeable();
        Object password = body.take("password");
        Object hash = body.take("password_hash");
        String algorithm = body.text("hashing_algorithm", "rabbit_password_hashing_sha256");
        Set<String> tags = new LinkedHashSet<>(ManagementJson.tags(body.take("tags")));
        Object limits = body.take("limits");
        if (limits instanceof Map<?, ?> map && !map.isEmpty()) {
            throw ApiProblem.notSupported("limits of users are not supported");
        }
        body.ignore("name", "username");
        body.requireNothingLeft();
        boolean added = password instanceof String text
                ? users.put(name, tags, Secret.of(text))
                : hash instanceof String encoded && !encoded.isEmpty()
                        ? users.putHashed(name, tags, algorithm, encoded)
                        : users.put(name, tags, null);
        connections.closeAllOf(name, "the user was changed");
        return added;
    }

    void delete(String name) {
        if (!changeable().delete(name)) {
            throw ApiProblem.notFound();
        }
        connections.closeAllOf(name, "the user was deleted");
    }

    List<Map<String, @Nullable Object>> permissions(@Nullable String user, @Nullable String vhost) {
        List<Map<String, @Nullable Object>> permissions = new ArrayList<>();
        for (User each : all()) {
            for (String host : virtualHosts) {
                Permission permission = each.permissions().in(host).orElse(null);
                if (permission != null
                        && (user == null || user.equals(each.name()))
                        && (vhost == null || vhost.equals(host))) {
                    Map<String, @Nullable Object> json = new LinkedHashMap<>();
                    json.put("user", each.name());
                    json.put("vhost", host);
                    json.put("configure", permission.expression(Action.CONFIGURE));
                    json.put("write", permission.expression(Action.WRITE));
                    json.put("read", permission.expression(Action.READ));
                    permissions.add(json);
                }
            }
        }
        return permissions;
    }

    /** Users who may enter no virtual host. */
    List<Map<String, @Nullable Object>> withoutPermissions() {
        List<String> locked = all().stream()
                .filter(user -> virtualHosts.stream()
                        .noneMatch(host -> user.permissions().in(host).isPresent()))
                .map(User::name)
                .toList();
        return list().stream()
                .filter(user -> locked.contains(String.valueOf(user.get("name"))))
                .toList();
    }

    /** Says what a user may do in a virtual host. */
    void setPermissions(String user, String vhost, ManagementJson body) {
        Permission permission =
                Permission.of(body.text("configure", null), body.text("write", null), body.text("read", null));
        body.ignore("user", "vhost", "username");
        body.requireNothingLeft();
        change(user, vhost, permission);
    }

    /** Takes a virtual host from a user. */
    void clearPermissions(String user, String vhost) {
        if (!change(user, vhost, null)) {
            throw ApiProblem.notFound();
        }
    }

    /** Connections that might do what is not allowed any more are ended. */
    private boolean change(String user, String vhost, @Nullable Permission permission) {
        User there = all().stream()
                .filter(each -> each.name().equals(user))
                .findFirst()
                .orElseThrow(ApiProblem::notFound);
        if (Objects.equals(there.permissions().in(vhost).orElse(null), permission)) {
            // Nothing to change, also where there is no file to be changed.
            return false;
        }
        boolean changed = changeable().changePermissions(user, known -> {
            Permissions all = known;
            if (known.isEverything()) {
                for (String host : virtualHosts) {
                    all = all.with(host, Permission.ALL);
                }
            }
            return all.with(vhost, permission);
        });
        if (changed) {
            connections.closeAllOf(user, "the user's permissions were changed");
        }
        return changed;
    }
}
