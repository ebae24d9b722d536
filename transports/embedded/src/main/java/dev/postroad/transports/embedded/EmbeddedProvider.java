package dev.postroad.transports.embedded;

import dev.postroad.api.Capability;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Transport;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.PayloadFields;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.engine.runtime.BrokerSettings;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/**
 * Opens a broker in this process.
 *
 * <ul>
 *   <li>{@code embedded:DIR} keeps its journal in a directory, relative or absolute, made if it is not there. One at a time may
 *       have it open, in this process too: share the connection.
 *   <li>{@code embedded:memory} keeps it in memory, a new broker each time; it is gone when the connection closes. A directory
 *       of that name is written {@code embedded:./memory}.
 * </ul>
 *
 * Behind a {@code ?}, joined by {@code &}, sizes such as {@code 64MiB}: {@code cacheBytes} of heap for the newest messages,
 * {@code indexBytes} of heap for indexes, and for memory {@code maxBytes} of journal.
 */
public final class EmbeddedProvider implements Transport.Provider {
    static final String SCHEME = "embedded";

    /** For {@link ServiceLoader}. */
    public EmbeddedProvider() {}

    @Override
    public List<String> schemes() {
        return List.of(SCHEME);
    }

    @Override
    public Transport open(String url) {
        EmbeddedUrl parsed = EmbeddedUrl.parse(url);
        BrokerSettings settings;
        Broker broker;
        try {
            settings = parsed.settings().withPayloads(payloads());
            broker = Broker.open(settings);
        } catch (EngineException e) {
            if (e.reason() == EngineException.Reason.IN_USE) {
                throw new MessagingException(
                        Reason.IN_USE,
                        e.getMessage()
                                + " Within one program, share one connection: it is safe for use by many threads.",
                        e);
            }
            throw Failures.of(e);
        } catch (IllegalArgumentException e) {
            throw new MessagingException(Reason.INVALID, "can't open " + url + ": " + e.getMessage(), e);
        }
        Map<Need, Capability> capabilities = EmbeddedTransport.allNative();
        if (settings.location() instanceof BrokerSettings.Location.Memory) {
            capabilities.put(
                    Need.DURABLE,
                    Capability.emulated(
                            Need.DURABLE, "in the memory of this process: gone when the connection closes"));
        }
        return EmbeddedTransport.owning(broker, url, capabilities);
    }

    /** How rules look into payloads, if the class path has a way; headers and properties they see in any case. */
    private static PayloadFields payloads() {
        try {
            List<PayloadFields> found = ServiceLoader.load(PayloadFields.class).stream()
                    .map(ServiceLoader.Provider::get)
                    .toList();
            if (found.size() > 1) {
                throw new MessagingException(
                        Reason.INVALID,
                        "the class path has more than one way to look into payloads, and rules need one: "
                                + found.get(0).getClass().getName() + ", "
                                + found.get(1).getClass().getName());
            }
            return found.isEmpty() ? PayloadFields.NONE : found.getFirst();
        } catch (ServiceConfigurationError e) {
            throw new MessagingException(
                    Reason.FAILED, "what looks into payloads can't be loaded: " + e.getMessage(), e);
        }
    }
}
