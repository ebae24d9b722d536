package dev.postroad.patterns.outbox;

import java.time.Duration;

/**
 * What waits in an outbox.
 *
 * @param messages that wait, those that failed included
 * @param oldestAge how long the oldest of them has waited, by the database's clock; zero if none waits
 * @param failed messages that the broker refused for good, see {@link OutboxRelay#failed}
 */
public record Backlog(long messages, Duration oldestAge, long failed) {}
