package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeSet;

/** The transports on the class path, by the schemes of their urls. */
final class Transports {
    /** The transports of this project, and the artifacts that bring them. */
    private static final Map<String, String> ARTIFACTS = Map.of(
            "embedded", "postroad-embedded",
            "http", "postroad-transport-http",
            "amqp", "postroad-transport-amqp",
            "amqps", "postroad-transport-amqp",
            "kafka", "postroad-transport-kafka");

    private Transports() {}

    static Transport open(String url) {
        int colon = url.indexOf(':');
        if (colon < 1) {
            // The text itself is not repeated: what was meant as a url may hold a password.
            throw new MessagingException(
                    Reason.INVALID,
                    "a transport's url begins with a scheme and a colon, embedded:data for example; this one of "
                            + url.length() + " characters does not");
        }
        String scheme = url.substring(0, colon).toLowerCase(Locale.ROOT);
        TreeSet<String> present = new TreeSet<>();
        try {
            for (Transport.Provider provider : ServiceLoader.load(Transport.Provider.class)) {
                if (provider.schemes().contains(scheme)) {
                    return provider.open(url);
                }
                present.addAll(provider.schemes());
            }
        } catch (ServiceConfigurationError e) {
            throw new MessagingException(
                    Reason.FAILED, "a transport on the class path can't be loaded: " + e.getMessage(), e);
        }
        String artifact = ARTIFACTS.get(scheme);
        throw new MessagingException(
                Reason.INVALID,
                "no transport on the class path opens '" + scheme + ":' (there: "
                        + (present.isEmpty() ? "none" : String.join(", ", present)) + "); "
                        + (artifact == null
                                ? "check the scheme, or add the dependency that brings it"
                                : "add the dependency dev.postroad:" + artifact));
    }
}
