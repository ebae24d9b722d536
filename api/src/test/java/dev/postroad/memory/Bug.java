package dev.postroad.memory;

/** Ways a transport may go wrong, to be planted one at a time. */
public enum Bug {
    /** Every tenth message is confirmed and not stored. */
    LOSES_A_MESSAGE,
    /** Every tenth message is stored twice. */
    DUPLICATES_A_MESSAGE,
    /** A message that waits for its retry is overtaken by later ones of its key. */
    OVERTAKES_A_FAILED_KEY,
    /** Two messages of one key are in flight at once. */
    DELIVERS_A_KEY_TWICE_AT_ONCE,
    /** Every third message goes ahead of those that wait. */
    REORDERS,
    /** Delayed messages are delivered at once. */
    IGNORES_DELAY,
    /** Retries are delivered at once. */
    IGNORES_RETRY_DELAY,
    /** Every delivery calls itself the first. */
    FORGETS_ATTEMPTS,
    /** Headers get lost. */
    DROPS_HEADERS,
    /** Properties but the id get lost. */
    DROPS_PROPERTIES,
    /** Values are taken for text. */
    MANGLES_BINARY,
    /** A message without a key gets an empty one. */
    INVENTS_KEYS,
    /** What is delivered counts as acknowledged. */
    ACKNOWLEDGES_ON_DELIVERY,
    /** Acknowledged messages come again when their consumer closes. */
    FORGETS_ACKNOWLEDGEMENTS,
    /** Every consumer of a queue gets every message. */
    BROADCASTS_QUEUES,
    /** Groups of a stream take messages from one another. */
    GROUPS_COMPETE,
    /** Priorities are ignored. */
    IGNORES_PRIORITY,
    /** Messages never expire. */
    IGNORES_TTL,
    /** Repetitions are stored. */
    IGNORES_DEDUP,
    /** Consumers get everything whatever their filter. */
    IGNORES_FILTER,
    /** Queues grow beyond their bound. */
    IGNORES_MAX_LENGTH,
    /** Later messages of a key go on although one was given up. */
    FORGETS_DEAD_KEYS,
    /** Dead letters vanish. */
    DROPS_DEAD_LETTERS,
    /** Dead letters say nothing of where they come from and why. */
    SILENT_DEAD_LETTERS,
    /** Attempts beyond the limit go on for ever. */
    NEVER_GIVES_UP,
    /** What a consumer gives back untouched counts as an attempt. */
    COUNTS_WHAT_IS_GIVEN_BACK,
    /** Reading always begins with the earliest message. */
    IGNORES_START,
    /** Sends of a transaction take effect before it commits. */
    SENDS_BEFORE_COMMIT,
    /** Acknowledgements of a transaction are lost. */
    FORGETS_TRANSACTED_ACKNOWLEDGEMENTS,
    /** A batch that fails leaves its beginning behind. */
    STORES_HALF_A_BATCH,
    /** Everything is gone when the connection closes. */
    FORGETS_ON_REOPEN,
    /** Channels count one message too few. */
    MISCOUNTS,
    /** Leases never run out. */
    IGNORES_LEASE,
    /** Looking at messages removes them. */
    BROWSE_CONSUMES,
    /** Dead letters are put back newest first. */
    REDRIVES_BACKWARDS,
    /** When a message failed first is never known. */
    FORGETS_THE_FIRST_FAILURE,
    /** Dead letters tell nothing of exceptions. */
    FORGETS_EXCEPTIONS,
    /** Other dead letters than the chosen ones are put back too. */
    PUTS_BACK_ANY,
    /** A dead letter goes back as it was instead of edited. */
    IGNORES_EDITS,
    /** Cancelling says yes and does nothing. */
    CANCELS_NOTHING,
    /** A compacted stream keeps the first message of each key. */
    COMPACTS_BACKWARDS,
    /** Declaring a channel otherwise is taken. */
    TAKES_ANY_DECLARATION,
    /** Sending to a channel that does not exist succeeds. */
    TAKES_UNKNOWN_CHANNELS,
    /** Settling twice goes unnoticed. */
    SETTLES_TWICE,
    /** A consumer is given more than its prefetch. */
    IGNORES_PREFETCH,
    /** Closing a connection leaves its deliveries in flight. */
    KEEPS_DELIVERIES_OF_THE_DEAD,
    /** Transactions are called impossible and work, in some way, all the same. */
    DENIES_WHAT_IT_DOES
}
