package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Definition;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.channel.Words;
import dev.postroad.engine.runtime.Broker;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The channels as declared, each read from its definition once; and how large their messages are. */
final class Catalog {
    private static final int MOST_REMEMBERED = 100_000;

    private final Broker broker;
    private final Map<String, Known> known = new ConcurrentHashMap<>();

    /** A declaration, good for as long as the engine has this very definition. */
    private static final class Known {
        private final Definition definition;
        private final ChannelDeclaration channel;

        /** Mean size of messages that were delivered lately, leaning to the larger ones; 0 while none was. */
        private volatile int size;

        Known(Definition definition) {
            this.definition = definition;
            this.channel = ChannelDeclaration.nearest(definition);
        }
    }

    Catalog(Broker broker) {
        this.broker = broker;
    }

    /** @throws Problem 404, with the nearest name */
    ChannelDeclaration channel(String name) {
        ChannelDeclaration found = find(name);
        if (found == null) {
            throw Problem.notFound("there is no channel '" + name + "'"
                    + Words.nearest(name, names())
                            .map(near -> "; did you mean '" + near + "'?")
                            .orElse("; declare it with PUT /api/v1/channels/{channel} or in postroad.yaml"));
        }
        return found;
    }

    @Nullable
    ChannelDeclaration find(String name) {
        Known found = known(name);
        return found == null ? null : found.channel;
    }

    @SuppressWarnings("ReferenceEquality")
    private @Nullable Known known(String name) {
        Definition definition = broker.definition(name);
        if (definition == null) {
            known.remove(name);
            return null;
        }
        Known found = known.get(name);
        if (found == null || found.definition != definition) {
            found = new Known(definition);
            if (known.size() > MOST_REMEMBERED) {
                known.clear();
            }
            known.put(name, found);
        }
        return found;
    }

    private List<String> names() {
        EngineStatus status = broker.await(Command.Inspect::new);
        List<String> names = new ArrayList<>();
        status.queues().forEach(q -> names.add(q.definition().name()));
        status.streams().forEach(s -> names.add(s.definition().name()));
        return names;
    }

    /** Remembers the size of a message that was delivered, so that the next receiver asks for as many as it can hold. */
    void sized(String channel, int bytes) {
        Known found = known.get(channel);
        if (found != null) {
            int size = found.size;
            found.size = bytes >= size ? bytes : size - (size - bytes) / 16;
        }
    }

    /**
     * How many messages of a channel are about so many bytes, judged by those that came lately.
     *
     * @param mostBytes that not even the largest messages may exceed
     */
    int countFor(ChannelDeclaration channel, int max, long aboutBytes, long mostBytes) {
        Known found = known.get(channel.name());
        int size = found == null || found.size == 0 ? 16 * 1024 : found.size;
        long count = Math.min(aboutBytes / size, mostBytes / channel.maxMessageBytes());
        return (int) Math.max(1, Math.min(max, count));
    }
}
