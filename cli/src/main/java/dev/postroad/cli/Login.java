package dev.postroad.cli;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Who the commands are to a server that asks. Said by the environment: arguments are seen by everybody on the machine. */
final class Login {
    private static final String USER = "POSTROAD_USER";
    private static final String PASSWORD = "POSTROAD_PASSWORD";

    private Login() {}

    /** Name and password with a colon between; null if the environment names nobody. */
    static @Nullable String fromEnvironment() {
        String user = System.getenv(USER);
        String password = System.getenv(PASSWORD);
        if (user == null || user.isEmpty()) {
            return null;
        }
        if (password == null) {
            throw new CliException(ExitCode.USAGE, USER + " is set and " + PASSWORD + " is not");
        }
        return user + ":" + password;
    }

    /** The url with the login in it, as transports take it. */
    static String in(String url, @Nullable String user) {
        if (user == null) {
            return url;
        }
        int colon = user.indexOf(':');
        int host = url.indexOf("://") + 3;
        return url.substring(0, host) + encode(user.substring(0, colon)) + ":" + encode(user.substring(colon + 1)) + "@"
                + url.substring(host);
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
