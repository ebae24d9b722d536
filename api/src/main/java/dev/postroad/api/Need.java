package dev.postroad.api;

/** What a channel may ask of the transport that carries it. */
public enum Need {
    /** A confirmed message survives a crash of the broker. */
    DURABLE("a confirmed message survives a crash"),
    /** A batch is stored whole or not at all. */
    ATOMIC_BATCH("a batch is stored whole or not at all"),
    /** Several consumers share one queue, each message going to one. */
    COMPETING_CONSUMERS("consumers share a queue"),
    /** Each group receives every message. */
    GROUPS("each group receives every message"),
    /** One key has one delivery in flight and keeps its order, through failures too. */
    ORDER_PER_KEY("order per key, kept through failures"),
    /** An unsettled message comes back when its consumer dies. */
    REDELIVERY("an unsettled message is delivered again"),
    /** The attempt number is counted, and survives a crash. */
    DELIVERY_COUNT("deliveries are counted"),
    /** A failed message waits in the broker until its next attempt. */
    RETRY_DELAY("a retry waits in the broker"),
    /** Messages given up go to a channel of their own, with the reason. */
    DEAD_LETTER("given-up messages are kept, with the reason"),
    /** Dead letters can be put back where they came from. */
    REDRIVE("dead letters can be put back"),
    /** A delivery not settled in time goes to somebody else. */
    LEASE("an unsettled delivery expires"),
    /** A message is delivered no earlier than it says. */
    DELAY("delivery at a later time"),
    /** Messages of higher priority are delivered first. */
    PRIORITY("higher priority first"),
    /** A message not delivered in time is dropped or dead-lettered. */
    TTL("messages expire"),
    /** A repetition of a message id within a window is confirmed and dropped. */
    DEDUP("repetitions are dropped"),
    /** The number or size of waiting messages is bounded. */
    MAX_LENGTH("the length is bounded"),
    /** A group can read again from an offset or a time. */
    REPLAY("messages can be read again"),
    /** A stream keeps the last message of each key. */
    COMPACTION("the last message of each key is kept"),
    /** Sends and acknowledgements take effect together or not at all. */
    TRANSACTIONS("sends and acknowledgements are atomic"),
    /** A request finds its reply. */
    REQUEST_REPLY("a request finds its reply"),
    /** Consumers receive only what matches a rule. */
    FILTER("consumers filter by rule"),
    /** Messages can be looked at without being consumed. */
    BROWSE("messages can be looked at"),
    /** Values of 1 MiB and more are carried. */
    LARGE_MESSAGES("values of 1 MiB and more");

    private final String description;

    Need(String description) {
        this.description = description;
    }

    /** What is needed, in a few words. */
    public String description() {
        return description;
    }
}
