package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.runtime.Broker;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Health, metrics, the journal's state, and the OpenAPI document. */
final class Monitoring {
    private static final String OPENAPI = "openapi.json";

    private final Broker broker;
    private final BooleanSupplier draining;
    /** Health is answered before a login: where there are users, strangers learn that it is not ready and not why. */
    private final boolean tellsWhy;

    private final Map<String, LongSupplier> gauges = new LinkedHashMap<>();
    private final Map<String, LongSupplier> counters = new LinkedHashMap<>();
    private final long startedNanos = System.nanoTime();

    Monitoring(Broker broker, BooleanSupplier draining, boolean tellsWhy) {
        this.broker = broker;
        this.draining = draining;
        this.tellsWhy = tellsWhy;
    }

    void gauge(String name, LongSupplier value) {
        gauges.put(name, value);
    }

    void counter(String name, LongSupplier value) {
        counters.put(name, value);
    }

    /** {@code GET /health/live}: the process answers. */
    void live(Exchange exchange) {
        exchange.answer(200, Map.of("status", "UP"));
    }

    /** {@code GET /health/started}: recovery is over. */
    void started(Exchange exchange) {
        exchange.answer(200, Map.of("status", "UP"));
    }

    /** {@code GET /health/ready}: it accepts messages. */
    void ready(Exchange exchange) {
        List<String> reasons = new ArrayList<>();
        broker.failure().ifPresent(reasons::add);
        if (draining.getAsBoolean()) {
            reasons.add("the server is closing");
        }
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("status", reasons.isEmpty() ? "UP" : "DOWN");
        body.put("reasons", tellsWhy ? reasons : List.of());
        exchange.answer(reasons.isEmpty() ? 200 : 503, body);
    }

    /** {@code GET /api/v1/status} */
    void status(Exchange exchange) {
        EngineStatus status = broker.await(Command.Inspect::new);
        EngineStatus.Journal journal = status.journal();
        Map<String, @Nullable Object> log = new LinkedHashMap<>();
        log.put("appendPosition", journal.appendPosition());
        log.put("durablePosition", journal.durablePosition());
        log.put("segments", journal.segments());
        log.put("usedBytes", journal.usedBytes());
        log.put("liveBytes", journal.liveBytes());
        log.put("syncs", journal.syncs());
        log.put("indexBytes", journal.heapBytes());
        log.put("failure", journal.failure());
        Broker.RecoveryReport found = broker.recovery();
        Map<String, Object> recovery = new LinkedHashMap<>();
        recovery.put("milliseconds", found.duration().toMillis());
        recovery.put("batches", found.batches());
        recovery.put("records", found.records());
        recovery.put("tailCut", found.tailCut());
        recovery.put("damage", found.damage().stream().map(String::valueOf).toList());
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("version", version());
        body.put("uptimeSeconds", (System.nanoTime() - startedNanos) / 1_000_000_000L);
        body.put("queues", status.queues().size());
        body.put("streams", status.streams().size());
        body.put("topics", status.topics().size());
        body.put("groups", status.groups().size());
        body.put("journal", log);
        body.put("recovery", recovery);
        exchange.answer(200, body);
    }

    static String version() {
        String version = Monitoring.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    /** {@code GET /api/v1/openapi.json} */
    void openApi(Exchange exchange) throws IOException {
        exchange.answer(200, Exchange.JSON, openApi());
    }

    static byte[] openApi() throws IOException {
        try (InputStream in = Monitoring.class.getResourceAsStream(OPENAPI)) {
            if (in == null) {
                throw new IOException("the resource " + OPENAPI + " is missing");
            }
            return in.readAllBytes();
        }
    }

    // ── Prometheus ───────────────────────────────────────────────────────────────────────────────────────────────────

    /** {@code GET /metrics} */
    void metrics(Exchange exchange) {
        EngineStatus status = broker.await(Command.Inspect::new);
        MetricText text = new MetricText();
        List<EngineStatus.Queue> queues = status.queues();
        queueGauge(text, queues, "ready", "Messages that could be delivered now.", EngineStatus.Queue::ready);
        queueGauge(text, queues, "in_flight", "Messages delivered and not settled.", EngineStatus.Queue::inFlight);
        queueGauge(text, queues, "delayed", "Messages that wait for their time.", EngineStatus.Queue::delayed);
        queueGauge(text, queues, "parked", "Messages behind an earlier one of their key.", EngineStatus.Queue::parked);
        queueGauge(text, queues, "bytes", "Bytes of messages held.", EngineStatus.Queue::bytes);
        queueGauge(text, queues, "consumers", "Consumers.", q -> q.consumers().size());
        text.family("postroad_queue_oldest_seconds", "gauge", "Age of the oldest message.");
        long now = System.currentTimeMillis();
        queues.forEach(q -> text.sample(
                "postroad_queue_oldest_seconds",
                q.oldestMillis() == 0 ? 0 : Math.max(0, now - q.oldestMillis()) / 1000.0,
                "channel",
                q.definition().name()));
        channelCounters(text, status);
        streams(text, status);
        groups(text, status);
        journal(text, status.journal());
        gauges.forEach((name, value) -> {
            text.family(name, "gauge", "HTTP interface.");
            text.sample(name, value.getAsLong());
        });
        counters.forEach((name, value) -> {
            text.family(name, "counter", "HTTP interface.");
            text.sample(name, value.getAsLong());
        });
        exchange.answer(200, MetricText.CONTENT_TYPE, text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static void queueGauge(
            MetricText text,
            List<EngineStatus.Queue> queues,
            String name,
            String help,
            ToLongFunction<EngineStatus.Queue> value) {
        String family =
                "postroad_queue_" + name + (name.equals("bytes") || name.equals("consumers") ? "" : "_messages");
        text.family(family, "gauge", help);
        queues.forEach(q -> text.sample(
                family, value.applyAsLong(q), "channel", q.definition().name()));
    }

    private static void channelCounters(MetricText text, EngineStatus status) {
        Map<String, ToLongFunction<EngineStatus.Counters>> all = new LinkedHashMap<>();
        all.put("accepted", EngineStatus.Counters::accepted);
        all.put("refused", EngineStatus.Counters::refused);
        all.put("delivered", EngineStatus.Counters::delivered);
        all.put("redelivered", EngineStatus.Counters::redelivered);
        all.put("acknowledged", EngineStatus.Counters::acknowledged);
        all.put("dead_lettered", EngineStatus.Counters::deadLettered);
        all.put("expired", EngineStatus.Counters::expired);
        all.put("dropped", EngineStatus.Counters::dropped);
        all.put("duplicate", EngineStatus.Counters::duplicates);
        all.forEach((name, value) -> {
            String family = "postroad_channel_" + name + "_messages_total";
            text.family(family, "counter", "Messages " + name.replace('_', ' ') + " since the start.");
            status.queues()
                    .forEach(q -> text.sample(
                            family,
                            value.applyAsLong(q.counters()),
                            "channel",
                            q.definition().name()));
            status.streams()
                    .forEach(s -> text.sample(
                            family,
                            value.applyAsLong(s.counters()),
                            "channel",
                            s.definition().name()));
        });
    }

    private static void streams(MetricText text, EngineStatus status) {
        text.family("postroad_stream_messages", "gauge", "Messages kept.");
        status.streams()
                .forEach(s -> text.sample(
                        "postroad_stream_messages",
                        s.partitions().stream()
                                .mapToLong(EngineStatus.Partition::messages)
                                .sum(),
                        "channel",
                        s.definition().name()));
        text.family("postroad_stream_bytes", "gauge", "Bytes kept.");
        status.streams()
                .forEach(s -> text.sample(
                        "postroad_stream_bytes",
                        s.partitions().stream()
                                .mapToLong(EngineStatus.Partition::bytes)
                                .sum(),
                        "channel",
                        s.definition().name()));
    }

    private static void groups(MetricText text, EngineStatus status) {
        text.family("postroad_group_lag_messages", "gauge", "Messages a group has yet to settle.");
        for (EngineStatus.Group group : status.groups()) {
            EngineStatus.Queue shared = group.shared();
            if (shared != null) {
                text.sample(
                        "postroad_group_lag_messages",
                        shared.ready() + shared.inFlight() + shared.delayed() + shared.parked(),
                        "group",
                        group.name(),
                        "channel",
                        String.valueOf(group.stream()));
            } else {
                group.positions()
                        .forEach(p -> text.sample(
                                "postroad_group_lag_messages",
                                p.lag(),
                                "group",
                                group.name(),
                                "channel",
                                p.stream(),
                                "partition",
                                Integer.toString(p.partition())));
            }
        }
    }

    private void journal(MetricText text, EngineStatus.Journal journal) {
        text.family("postroad_journal_used_bytes", "gauge", "Bytes of segments in use.");
        text.sample("postroad_journal_used_bytes", journal.usedBytes());
        text.family("postroad_journal_live_bytes", "gauge", "Bytes of messages and pages that are still needed.");
        text.sample("postroad_journal_live_bytes", journal.liveBytes());
        text.family("postroad_journal_segments", "gauge", "Segments in use.");
        text.sample("postroad_journal_segments", journal.segments());
        text.family("postroad_journal_append_position_bytes", "counter", "Where the next record goes.");
        text.sample("postroad_journal_append_position_bytes", journal.appendPosition());
        text.family("postroad_journal_syncs_total", "counter", "Groups forced to disk since the start.");
        text.sample("postroad_journal_syncs_total", journal.syncs());
        text.family("postroad_index_bytes", "gauge", "Heap that indexes take, estimated.");
        text.sample("postroad_index_bytes", journal.heapBytes());
        text.family("postroad_storage_failed", "gauge", "1 if the journal failed and nothing more is accepted.");
        text.sample("postroad_storage_failed", broker.failure().isPresent() ? 1 : 0);
        text.family("postroad_recovery_seconds", "gauge", "How long the last start took to recover.");
        text.sample("postroad_recovery_seconds", broker.recovery().duration().toNanos() / 1e9);
        Runtime runtime = Runtime.getRuntime();
        text.family("postroad_heap_used_bytes", "gauge", "Java heap in use.");
        text.sample("postroad_heap_used_bytes", runtime.totalMemory() - runtime.freeMemory());
        text.family("postroad_heap_max_bytes", "gauge", "Java heap at most.");
        text.sample("postroad_heap_max_bytes", runtime.maxMemory());
        text.family("postroad_uptime_seconds", "gauge", "Time since the start.");
        text.sample("postroad_uptime_seconds", (System.nanoTime() - startedNanos) / 1e9);
    }
}
