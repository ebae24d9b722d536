/**
 * What the tests of every module share. Nothing here knows Postroad, so everything may use it.
 *
 * <ul>
 *   <li>{@link dev.postroad.testkit.Property} runs a check on many random cases and names the seed of the one that
 *       fails; {@link dev.postroad.testkit.Generator} makes the values.
 *   <li>{@link dev.postroad.testkit.VirtualClock} is time that moves only when a test moves it.
 *   <li>{@link dev.postroad.testkit.Await} waits for something to become true, with a deadline.
 *   <li>{@link dev.postroad.testkit.ChildProcess} starts, watches, stops and kills another process;
 *       {@link dev.postroad.testkit.FreePort} finds it a port.
 *   <li>{@link dev.postroad.testkit.RabbitMqServer} is a real RabbitMQ to compare with,
 *       {@link dev.postroad.testkit.KafkaServer} a real Kafka, {@link dev.postroad.testkit.RedisServer} a real Redis,
 *       {@link dev.postroad.testkit.PostgresServer} a real PostgreSQL.
 * </ul>
 *
 * <p>Read {@code Property} first: most tests need it and {@code Generator} alone. For temporary folders use JUnit's
 * {@code @TempDir}.
 */
@NullMarked
package dev.postroad.testkit;

import org.jspecify.annotations.NullMarked;
