package dev.postroad.integrations.junit;

import dev.postroad.engine.runtime.BrokerClock;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** The clock of a {@link TestBroker}: stands still until the test moves it with {@link TestBroker#advance}. In UTC. */
public final class TestClock extends Clock implements BrokerClock {
    private volatile long millis;

    TestClock(Instant start) {
        this.millis = start.toEpochMilli();
    }

    void moveTo(long newMillis) {
        millis = Math.max(millis, newMillis);
    }

    @Override
    public long wallMillis() {
        return millis;
    }

    @Override
    public long steadyMillis() {
        return millis;
    }

    @Override
    public long millis() {
        return millis;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis);
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return new Zoned(this, zone);
    }

    private static final class Zoned extends Clock {
        private final TestClock clock;
        private final ZoneId zone;

        Zoned(TestClock clock, ZoneId zone) {
            this.clock = clock;
            this.zone = zone;
        }

        @Override
        public Instant instant() {
            return clock.instant();
        }

        @Override
        public ZoneId getZone() {
            return zone;
        }

        @Override
        public Clock withZone(ZoneId other) {
            return new Zoned(clock, other);
        }
    }
}
