package dev.postroad.integrations.junit;

import dev.postroad.api.Message;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What was published and acknowledged, each message once. Safe for use by many threads. */
final class Ledger {
    private final Map<String, Map<String, Message<byte[], byte[]>>> published = new LinkedHashMap<>();
    private final Map<String, Set<String>> acknowledged = new LinkedHashMap<>();
    private final Set<String> crashes = new HashSet<>();

    synchronized void published(String channel, Message<byte[], byte[]> message) {
        published
                .computeIfAbsent(channel, name -> new LinkedHashMap<>())
                .putIfAbsent(String.valueOf(message.id()), message);
    }

    synchronized void acknowledged(String channel, String id) {
        acknowledged.computeIfAbsent(channel, name -> new LinkedHashSet<>()).add(id);
    }

    /** True the first time a message's sending may crash: a program that tries again gets through. */
    synchronized boolean crashOnce(String channel, Message<byte[], byte[]> message) {
        return crashes.add(channel + '\n' + message.id());
    }

    synchronized List<Message<byte[], byte[]>> published(String channel) {
        return new ArrayList<>(published.getOrDefault(channel, Map.of()).values());
    }

    synchronized List<String> acknowledged(String channel) {
        return new ArrayList<>(acknowledged.getOrDefault(channel, Set.of()));
    }
}
