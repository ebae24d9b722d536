package dev.postroad.cli;

import dev.postroad.security.AccessException;
import dev.postroad.security.Permission;
import dev.postroad.security.Secret;
import dev.postroad.security.User;
import dev.postroad.security.UsersFile;
import java.io.Console;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code users}: who may come in. */
@Command(
        name = "users",
        header = "Add, change, delete and list the users of a server.",
        description = {
            "",
            "They are in a file that only its owner may read, which the server is told of by 'server.users' in its"
                    + " configuration; it notices a change within a second. A password is asked for on the terminal, or is"
                    + " the first line of stdin; it is never an argument.",
            ""
        },
        subcommands = {
            UsersCommand.Add.class,
            UsersCommand.Passwd.class,
            UsersCommand.Delete.class,
            UsersCommand.Permit.class,
            UsersCommand.Forbid.class,
            UsersCommand.ListAll.class
        },
        footer = {
            "",
            "Examples:",
            "  postroad users add alice --tag administrator --users users",
            "  pwgen 20 1 | postroad users add app --users users",
            "  postroad users passwd alice --users users",
            "  postroad users permit app --write '^orders$' --read '^replies-' --users users",
            "  postroad users list --users users"
        })
final class UsersCommand implements Runnable {
    private static final int LONGEST = 4096;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                Objects.requireNonNull(spec).commandLine(),
                "users needs a command: add, passwd, permit, forbid, delete or list");
    }

    /** Which file. */
    static final class FileOption {
        @Option(
                names = "--users",
                paramLabel = "FILE",
                description = "The file of users. Default: the variable POSTROAD_USERS.")
        private @Nullable Path file;

        UsersFile open() {
            String variable = System.getenv("POSTROAD_USERS");
            Path chosen = file != null ? file : variable == null || variable.isBlank() ? null : Path.of(variable);
            if (chosen == null) {
                throw new CliException(ExitCode.USAGE, "say which file: --users FILE, or the variable POSTROAD_USERS");
            }
            return UsersFile.at(chosen);
        }
    }

    private static int done(String sentence) {
        Terminal.err().println("postroad: " + sentence);
        return ExitCode.OK;
    }

    private static CliException refused(RuntimeException e) {
        boolean own = e instanceof AccessException;
        return new CliException(own ? ExitCode.FAILED : ExitCode.USAGE, String.valueOf(e.getMessage()), e);
    }

    private static Secret password() {
        Console console = Terminal.is(Terminal.STDIN) ? System.console() : null;
        if (console == null) {
            return fromStdin();
        }
        char[] password = console.readPassword("Password: ");
        char[] again = console.readPassword("Again: ");
        if (password == null || again == null || !Arrays.equals(password, again)) {
            throw new CliException(ExitCode.FAILED, "the two are not the same; nothing was done");
        }
        ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(password));
        byte[] bytes = new byte[encoded.remaining()];
        encoded.get(bytes).rewind();
        encoded.put(new byte[bytes.length]);
        Arrays.fill(password, ' ');
        Arrays.fill(again, ' ');
        return Secret.of(bytes);
    }

    private static Secret fromStdin() {
        try {
            byte[] input = System.in.readNBytes(LONGEST);
            int end = 0;
            while (end < input.length && input[end] != '\n' && input[end] != '\r') {
                end++;
            }
            if (end == 0) {
                throw new CliException(ExitCode.USAGE, "the password is the first line of stdin, and that is empty");
            }
            return Secret.of(Arrays.copyOf(input, end));
        } catch (IOException e) {
            throw new CliException(ExitCode.FAILED, "stdin can't be read: " + e.getMessage(), e);
        }
    }

    /** {@code users add} */
    @Command(
            name = "add",
            header = "Add a user; the file is made if it is missing.",
            footer = {"", "Example: postroad users add alice --tag administrator --users users"})
    static final class Add implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "NAME", description = "The user.")
        private String name = "";

        @Option(
                names = "--tag",
                paramLabel = "TAG",
                description =
                        "administrator, monitoring, management, or a word of your own; several times for several.")
        private List<String> tags = List.of();

        @Option(
                names = "--no-password",
                description = "The user logs in by a client certificate whose common name this is.")
        private boolean noPassword;

        @Mixin
        private FileOption file = new FileOption();

        @Override
        public Integer call() {
            UsersFile users = file.open();
            try (Secret password = noPassword ? Secret.of("") : password()) {
                users.add(name, new LinkedHashSet<>(tags), noPassword ? null : password);
            } catch (AccessException | IllegalArgumentException e) {
                throw refused(e);
            }
            return done("the user '" + name + "' is added to " + users.path());
        }
    }

    /** {@code users passwd} */
    @Command(
            name = "passwd",
            header = "Change a user's password.",
            footer = {"", "Example: postroad users passwd alice --users users"})
    static final class Passwd implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "NAME", description = "The user.")
        private String name = "";

        @Mixin
        private FileOption file = new FileOption();

        @Override
        public Integer call() {
            UsersFile users = file.open();
            require(users, name);
            try (Secret password = password()) {
                users.setPassword(name, password);
            } catch (AccessException | IllegalArgumentException e) {
                throw refused(e);
            }
            return done("the user '" + name + "' has a new password");
        }
    }

    private static void require(UsersFile users, String name) {
        try {
            if (!Files.exists(users.path()) || users.find(name).isEmpty()) {
                throw new CliException(ExitCode.NOT_FOUND, "there is no user '" + name + "' in " + users.path());
            }
        } catch (AccessException e) {
            throw refused(e);
        }
    }

    /** {@code users delete} */
    @Command(
            name = "delete",
            header = "Delete a user.",
            footer = {"", "Example: postroad users delete alice --users users --yes"})
    static final class Delete implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "NAME", description = "The user.")
        private String name = "";

        @Mixin
        private FileOption file = new FileOption();

        @Mixin
        private Confirmation confirmation = new Confirmation();

        @Override
        public Integer call() throws IOException {
            UsersFile users = file.open();
            require(users, name);
            String what = "delete user '" + name + "' of " + users.path();
            if (confirmation.dryRun()) {
                return done("would " + what);
            }
            confirmation.ask(what);
            try {
                users.delete(name);
            } catch (AccessException e) {
                throw refused(e);
            }
            return done("the user '" + name + "' is deleted");
        }
    }

    /** {@code users permit} */
    @Command(
            name = "permit",
            header = "Say what a user may do in a virtual host.",
            description = {
                "",
                "A user who was added here may do everything, until it is permitted something: from then on that and no more."
                        + " What is permitted is said by regular expressions of names, as RabbitMQ's are; those that are not"
                        + " given permit nothing.",
                ""
            },
            footer = {"", "Example: postroad users permit app --write '^orders$' --read '^replies-' --users users"})
    static final class Permit implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "NAME", description = "The user.")
        private String name = "";

        @Option(
                names = "--vhost",
                paramLabel = "HOST",
                defaultValue = "/",
                description = "The virtual host. Default: ${DEFAULT-VALUE}.")
        private String vhost = "/";

        @Option(names = "--configure", paramLabel = "REGEX", description = "Names to declare and delete.")
        private String configure = "";

        @Option(names = "--write", paramLabel = "REGEX", description = "Names to publish and bind to.")
        private String write = "";

        @Option(names = "--read", paramLabel = "REGEX", description = "Names to consume, purge and bind from.")
        private String read = "";

        @Mixin
        private FileOption file = new FileOption();

        @Override
        public Integer call() {
            UsersFile users = file.open();
            require(users, name);
            Permission permission;
            try {
                permission = Permission.of(configure, write, read);
                users.changePermissions(name, known -> known.with(vhost, permission));
            } catch (AccessException | IllegalArgumentException e) {
                throw refused(e);
            }
            return done("the user '" + name + "' may, in '" + vhost + "': " + permission);
        }
    }

    /** {@code users forbid} */
    @Command(
            name = "forbid",
            header = "Take a virtual host from a user.",
            footer = {"", "Example: postroad users forbid app --vhost billing --users users"})
    static final class Forbid implements Callable<Integer> {
        @Parameters(index = "0", paramLabel = "NAME", description = "The user.")
        private String name = "";

        @Option(
                names = "--vhost",
                paramLabel = "HOST",
                defaultValue = "/",
                description = "The virtual host. Default: ${DEFAULT-VALUE}.")
        private String vhost = "/";

        @Mixin
        private FileOption file = new FileOption();

        @Override
        public Integer call() {
            UsersFile users = file.open();
            require(users, name);
            try {
                if (users.find(name)
                        .filter(user -> user.permissions().isEverything())
                        .isPresent()) {
                    throw new CliException(
                            ExitCode.FAILED,
                            "the user '" + name + "' may do everything, everywhere: say with 'users permit' what it may"
                                    + " do, and no more is left");
                }
                users.changePermissions(name, known -> known.with(vhost, null));
            } catch (AccessException e) {
                throw refused(e);
            }
            return done("the user '" + name + "' may do nothing in '" + vhost + "'");
        }
    }

    private static Map<String, Object> json(User user) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", user.name());
        json.put("tags", List.copyOf(user.tags()));
        if (!user.permissions().isEverything()) {
            Map<String, Object> hosts = new LinkedHashMap<>();
            user.permissions().byHost().forEach((host, permission) -> {
                Map<String, String> expressions = new LinkedHashMap<>();
                for (Permission.Action action : Permission.Action.values()) {
                    expressions.put(action.name().toLowerCase(Locale.ROOT), permission.expression(action));
                }
                hosts.put(host, expressions);
            });
            json.put("permissions", hosts);
        }
        return json;
    }

    private static String shown(User user) {
        if (user.permissions().isEverything()) {
            return "everything";
        }
        List<String> hosts = new ArrayList<>();
        user.permissions().byHost().forEach((host, permission) -> hosts.add(host + ": " + permission));
        return hosts.isEmpty() ? "nothing" : String.join("; ", hosts);
    }

    /** {@code users list} */
    @Command(
            name = "list",
            header = "List the users.",
            footer = {"", "Example: postroad users list --users users --format json"})
    static final class ListAll implements Callable<Integer> {
        @Mixin
        private FileOption file = new FileOption();

        @Mixin
        private FormatOption format = new FormatOption();

        @Override
        public Integer call() {
            List<User> users;
            try {
                users = file.open().list();
            } catch (AccessException e) {
                throw refused(e);
            }
            if (format.json()) {
                Json.print(
                        Terminal.out(),
                        Map.of("users", users.stream().map(UsersCommand::json).toList()));
                return ExitCode.OK;
            }
            Table table = new Table("user", "tags", "may do");
            users.forEach(user -> table.row(user.name(), String.join(", ", user.tags()), shown(user)));
            table.print(Terminal.out());
            return ExitCode.OK;
        }
    }
}
