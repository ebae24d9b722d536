package dev.postroad.simulation.broker;

import dev.postroad.engine.QueueDefinition;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A queue, or a shared group, of the model: a list of messages, looked through from the beginning each time. */
final class ModelQueue {
    /** In which order messages go that are too much. */
    static final Comparator<Copy> OLDEST =
            Comparator.comparingInt((Copy copy) -> copy.lane).thenComparingLong(copy -> copy.order);

    final QueueDefinition declared;

    /** What was declared with what policies add to it. */
    QueueDefinition definition;

    final @Nullable ModelStream stream;
    final @Nullable Dedup dedup;
    final TreeMap<Long, Copy> copies = new TreeMap<>();
    final Map<Long, Copy> byNumber = new HashMap<>();
    final Map<String, Integer> deadKeys = new HashMap<>();
    final List<ModelConsumer> consumers = new ArrayList<>();
    private @Nullable ModelConsumer active;

    @Nullable
    Object owner;

    long idleSince;

    /** What {@link #idleSince} was when the power went; and whether messages may have been handed over just then. */
    long idleWas;

    boolean maybeHanded;
    boolean maybeTaken;
    boolean deleted;

    /** In which order some of its messages stand is not known. */
    boolean loose;

    /** Those that may have had to go because it holds too many bytes, the first to go first; and how often that was so. */
    final List<Copy> marked = new ArrayList<>();

    int markings;

    /** Something came back since it was last shortened: what a lower bound could not take from whoever held it may be too much. */
    boolean returned;

    /** Messages with a key have waited for their first delivery here: such keys have no simple order. */
    boolean delayedKeys;

    ModelQueue(QueueDefinition definition, @Nullable ModelStream stream, History history) {
        this.declared = definition;
        this.definition = definition;
        this.stream = stream;
        dedup = definition.dedupMillis() > 0 ? new Dedup(definition.dedupMillis(), history) : null;
    }

    String name() {
        return definition.name();
    }

    String title() {
        return stream == null ? "queue " + name() : "group " + name() + " of " + stream.name();
    }

    boolean durable() {
        return definition.durability() == dev.postroad.engine.Durability.DURABLE;
    }

    Collection<Copy> all() {
        return copies.values();
    }

    int size() {
        return copies.size();
    }

    boolean keyDead(@Nullable String key) {
        return key != null && definition.keyOrdered() && deadKeys.containsKey(key);
    }

    boolean filtered() {
        for (ModelConsumer consumer : consumers) {
            if (consumer.filter != null) {
                return true;
            }
        }
        return false;
    }

    /** True if the next message to deliver is known. */
    boolean strict() {
        return strictToAnyone() && !filtered();
    }

    /** True if it is known to somebody without a filter, who takes one for himself. */
    boolean strictToAnyone() {
        return !loose && !delayedKeys && !(definition.keyOrdered() && automatic());
    }

    private boolean automatic() {
        for (ModelConsumer consumer : consumers) {
            if (consumer.settings.autoAcknowledge()) {
                return true;
            }
        }
        return false;
    }

    private final Set<String> busy = new HashSet<>();

    /** The message to deliver next; null for none. */
    @Nullable
    Copy firstReady(long now) {
        return first(now, false);
    }

    /** The same, or one whose time to live is over. */
    @Nullable
    Copy firstInLine(long now) {
        return first(now, true);
    }

    private @Nullable Copy first(long now, boolean over) {
        boolean keyed = definition.keyOrdered();
        busy.clear();
        Copy best = null;
        for (Copy copy : copies.values()) {
            String key = keyed ? copy.key : null;
            if (copy.holder != null || copy.notBefore > now) {
                if (key != null && (copy.holder != null || !copy.firstDelay)) {
                    busy.add(key);
                }
                continue;
            }
            if ((!over && copy.expiry > 0 && copy.expiry <= now) || (key != null && !busy.add(key))) {
                continue;
            }
            if (best == null || copy.lane > best.lane) {
                best = copy;
                if (definition.priorities() == 1) {
                    break;
                }
            }
        }
        return best;
    }

    /** Messages that count for its bound. */
    int bounded() {
        if (!definition.boundsWaiting()) {
            return size();
        }
        int waiting = 0;
        for (Copy copy : copies.values()) {
            waiting += copy.holder == null ? 1 : 0;
        }
        return waiting;
    }

    /** Bytes that count for its bound, at least: how many more a message takes is the broker's affair. */
    long leastBytes() {
        return bytes(false);
    }

    /** And at most. */
    long mostBytes() {
        return bytes(true);
    }

    private long bytes(boolean most) {
        long sum = 0;
        for (Copy copy : copies.values()) {
            if (!definition.boundsWaiting() || copy.holder == null) {
                sum += most ? copy.mostBytes() : copy.leastBytes();
            }
        }
        return sum;
    }

    /** The oldest message of the lowest priority that nobody holds. */
    @Nullable
    Copy oldestWaiting() {
        Copy best = null;
        for (Copy copy : copies.values()) {
            if (copy.holder == null && (best == null || copy.lane < best.lane)) {
                best = copy;
                if (copy.lane == 0) {
                    break;
                }
            }
        }
        return best;
    }

    @Override
    public String toString() {
        return title();
    }

    /** Who receives where only one does: it stays until it goes, and the first of those that are there follows. */
    ModelConsumer active() {
        ModelConsumer elected = active;
        if (elected == null || !consumers.contains(elected)) {
            elected = consumers.getFirst();
            active = elected;
        }
        return elected;
    }
}
