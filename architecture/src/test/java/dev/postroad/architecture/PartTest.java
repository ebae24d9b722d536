package dev.postroad.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The table itself, read as DESIGN tells it. */
class PartTest {
    @Test
    void arrowsGoWhereTheTableSays() {
        assertThat(allowed("engine", "journal")).isTrue();
        assertThat(allowed("engine.routing", "journal")).isTrue();
        assertThat(allowed("engine.runtime", "engine.routing")).isTrue();
        assertThat(allowed("protocols.http", "engine.runtime")).isTrue();
        assertThat(allowed("protocols.mqtt", "protocols.mqtt.codec")).isTrue();
        assertThat(allowed("transports.embedded", "engine.runtime")).isTrue();
        assertThat(allowed("server", "protocols.http")).isTrue();
        assertThat(allowed("server", "transports.embedded")).isTrue();
        assertThat(allowed("cli.doctor", "journal")).isTrue();
        assertThat(allowed("simulation.disk", "journal")).isTrue();
        assertThat(allowed("simulation.broker", "simulation.disk")).isTrue();
        assertThat(allowed("examples.orders", "transports.kafka")).isTrue();
    }

    @Test
    void arrowsGoNowhereElse() {
        assertThat(allowed("api", "journal")).isFalse();
        assertThat(allowed("journal", "engine")).isFalse();
        assertThat(allowed("engine", "api")).isFalse();
        assertThat(allowed("patterns", "engine")).isFalse();
        assertThat(allowed("protocols.http", "api")).isFalse();
        assertThat(allowed("protocols.http", "protocols.mqtt")).isFalse();
        assertThat(allowed("protocols.mqtt.codec", "engine")).isFalse();
        assertThat(allowed("protocols.mqtt.codec", "protocols.mqtt")).isFalse();
        assertThat(allowed("protocols.kafka", "protocols.mqtt.codec")).isFalse();
        assertThat(allowed("transports.kafka", "engine")).isFalse();
        assertThat(allowed("transports.kafka", "transports.embedded")).isFalse();
        assertThat(allowed("transports.embedded", "transports.kafka")).isFalse();
        assertThat(allowed("cli", "engine")).isFalse();
        assertThat(allowed("cli", "journal")).isFalse();
        assertThat(allowed("conformance", "transports.embedded")).isFalse();
        assertThat(allowed("server", "cli")).isFalse();
        assertThat(allowed("server", "protocols.mqtt.codec")).isFalse();
        assertThat(allowed("testkit", "api")).isFalse();
    }

    @Test
    void aPackageNobodyPlannedForBelongsToNoPart() {
        assertThat(Part.owning("dev.postroad.surprise")).isEmpty();
        assertThat(Part.owning("dev.postroad.apiary")).isEmpty();
        assertThat(Part.owning("dev.postroad")).isEmpty();
    }

    private static boolean allowed(String from, String to) {
        Part user = Part.owning("dev.postroad." + from).orElseThrow();
        return user.mayUse(Part.owning("dev.postroad." + to).orElseThrow());
    }
}
