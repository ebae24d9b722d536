package dev.postroad.simulation.broker;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What a run is about: everything at once, or one state machine. */
public enum Scenario {
    /** All commands and options. */
    ALL,
    /** Queues with all their options but the order of keys. */
    QUEUE,
    /** Key-ordered queues, their dead letters and their way back. */
    KEYED,
    /** Streams: partitions, retention, compaction, idempotent producers. */
    STREAM,
    /** Groups of streams, of positions and shared ones. */
    GROUP,
    /** Transactions over queues, streams and offsets. */
    TRANSACTION,
    /** Delays, schedules, leases, times to live, idle queues. */
    TIMER,
    /** As {@link #ALL}, with what has a say of its own in it: single active consumers, shares by hash, letters chosen one by one. */
    WIDE,
    /**
     * As {@link #WIDE}, under strain: bounds in bytes, policies that come and go under what is used, a disk that is full for a
     * while, hundreds of dead letters of few keys put back at once, and much in one turn.
     */
    STRAIN,
    /**
     * As {@link #WIDE}, with much at once: hundreds of commands in a turn and as many deliveries, and long between crashes. Most of
     * what it does is sending, receiving and settling.
     */
    BUSY,
    /**
     * As {@link #WIDE}, with what protocols ask and few programs do: single messages taken, messages published each for itself,
     * full queues passed over or giving newcomers to their dead letters, letters put back edited, consumers of streams, queues and
     * topics that go with a restart, topics for topics only, shares by a header, bounds on remembered ids, policies of some names.
     */
    RARE;

    /** True if all commands and options are used. */
    boolean everything() {
        return this == ALL || wide();
    }

    /** True if the rarer commands and options are used too. */
    boolean wide() {
        return this == WIDE || this == RARE || large();
    }

    /** True if a turn may bring much. */
    boolean large() {
        return this == STRAIN || this == BUSY;
    }

    /** As it is written on a command line. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The state machines, one by one. */
    public static List<Scenario> stateMachines() {
        return Arrays.stream(values()).filter(s -> !s.everything()).toList();
    }
}
