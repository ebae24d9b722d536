package dev.postroad.engine.runtime;

import dev.postroad.engine.EngineSettings;
import dev.postroad.engine.PayloadFields;
import dev.postroad.journal.Storage;
import java.nio.file.Path;

/**
 * How a broker runs. Begin with {@link #directory} or {@link #memory}.
 *
 * @param location where its journal is
 * @param engine the engine's bounds
 * @param payloads how rules look into payloads
 * @param commandQueue commands that wait for the broker's thread at most, a power of two; beyond it callers wait
 * @param clock where it takes its time from
 */
public record BrokerSettings(
        Location location, EngineSettings engine, PayloadFields payloads, int commandQueue, BrokerClock clock) {

    /** Where a broker's journal is. */
    public sealed interface Location {
        /** A directory of its own; made if it is not there. */
        record Directory(Path path) implements Location {}

        /** Memory: nothing outlives the broker. */
        record Memory(long maxBytes) implements Location {}

        /** A storage that somebody else opened, and closes after the broker: it can be opened again on it. */
        record Given(Storage storage) implements Location {}
    }

    /** @throws IllegalArgumentException if the queue's size is not a power of two from 64 to 2^20 */
    public BrokerSettings {
        if (Integer.bitCount(commandQueue) != 1 || commandQueue < 64 || commandQueue > 1 << 20) {
            throw new IllegalArgumentException(
                    "commandQueue is " + commandQueue + "; it must be a power of two from 64 to 1048576");
        }
    }

    /** A broker on a directory, with the engine's defaults. */
    public static BrokerSettings directory(Path path) {
        return new BrokerSettings(
                new Location.Directory(path), EngineSettings.DEFAULTS, PayloadFields.NONE, 65_536, BrokerClock.SYSTEM);
    }

    /** A broker in memory, with the engine's defaults. */
    public static BrokerSettings memory(long maxBytes) {
        EngineSettings engine = EngineSettings.DEFAULTS;
        return new BrokerSettings(
                new Location.Memory(maxBytes),
                engine.withJournal(engine.journal().withLowWaterBytes(maxBytes / 4)),
                PayloadFields.NONE,
                65_536,
                BrokerClock.SYSTEM);
    }

    /** These settings with other bounds. */
    public BrokerSettings withEngine(EngineSettings newEngine) {
        return new BrokerSettings(location, newEngine, payloads, commandQueue, clock);
    }

    /** These settings with another way to look into payloads. */
    public BrokerSettings withPayloads(PayloadFields newPayloads) {
        return new BrokerSettings(location, engine, newPayloads, commandQueue, clock);
    }

    /** These settings with another place for the journal. */
    public BrokerSettings withLocation(Location newLocation) {
        return new BrokerSettings(newLocation, engine, payloads, commandQueue, clock);
    }

    /** These settings with another clock. */
    public BrokerSettings withClock(BrokerClock newClock) {
        return new BrokerSettings(location, engine, payloads, commandQueue, newClock);
    }
}
