package dev.postroad.proof.process;

import dev.postroad.proof.history.History;
import dev.postroad.proof.history.Payload;

/**
 * One channel under load.
 *
 * @param channel its name
 * @param kind what it is
 * @param run the number that all its payloads carry
 * @param mix who sends and receives there
 */
record Lane(String channel, Kind kind, int run, Mix mix) {
    enum Kind {
        /** Keys keep their order, repetitions are dropped. */
        QUEUE,
        /** The same, to be read by groups. */
        STREAM,
        /** Whatever a peer has that keeps messages; it is held to nothing but keeping them. */
        PLAIN
    }

    /**
     * Who sends and receives at once.
     *
     * @param pipelining producers with many sends under way
     * @param single producers that wait for each confirm
     * @param batching producers of batches that are stored whole or not at all
     * @param transacting producers that send one message to each lane beside this one too, to all or to none
     * @param consumers that receive
     * @param window sends under way of a pipelining producer
     * @param keys of each producer
     * @param bytes of each message
     */
    record Mix(
            int pipelining, int single, int batching, int transacting, int consumers, int window, int keys, int bytes) {
        static final Mix USUAL = new Mix(2, 1, 1, 1, 2, 256, 64, 120);

        int producers() {
            return alone() + transacting;
        }

        /** Producers that send to this lane alone; their numbers come before the others'. */
        int alone() {
            return pipelining + single + batching;
        }

        /** True if the producer of this number sends to all lanes at once. */
        boolean transacts(int producer) {
            return producer % producers() >= alone();
        }

        Mix withConsumers(int newConsumers) {
            return new Mix(pipelining, single, batching, transacting, newConsumers, window, keys, bytes);
        }

        Mix withBytes(int newBytes) {
            return new Mix(pipelining, single, batching, transacting, consumers, window, keys, newBytes);
        }
    }

    /** What this channel is held to. */
    History history() {
        return kind == Kind.PLAIN
                ? new History(run)
                : new History(run, History.Rule.ORDERED, History.Rule.DEDUPLICATED);
    }

    int key(int producer, long sequence) {
        return Math.floorMod((sequence + producer) * 0x9e3779b97f4a7c15L >>> 20, mix.keys);
    }

    /** The same message each time it is asked for. */
    Load.Sending message(int producer, long sequence, int key) {
        return new Load.Sending(
                producer + "-" + sequence, key, new Payload(run, producer, sequence, key).write(mix.bytes));
    }
}
