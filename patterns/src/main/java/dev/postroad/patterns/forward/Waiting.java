package dev.postroad.patterns.forward;

import java.time.Duration;

/**
 * What waits to be forwarded.
 *
 * @param messages how many
 * @param oldestAge for how long the oldest of them has; zero if there is none
 * @param refused messages that the remote broker refused for good: somebody has to look
 */
public record Waiting(long messages, Duration oldestAge, long refused) {}
