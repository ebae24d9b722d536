package dev.postroad.protocols.amqp091.management;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import dev.postroad.engine.runtime.Broker;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The broker at a glance, the process it runs in, and whether it is well. */
final class Overview {
    /** The version of RabbitMQ whose interface this is: tools choose what they ask for by it. */
    static final String MODEL = "3.10.8";

    private static final List<String> TYPES = List.of("direct", "fanout", "headers", "topic");

    private final Broker broker;
    private final ManagementSettings settings;

    Overview(Broker broker, ManagementSettings settings) {
        this.broker = broker;
        this.settings = settings;
    }

    Map<String, @Nullable Object> overview(Snapshot snapshot) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("management_version", MODEL);
        json.put("rabbitmq_version", MODEL);
        json.put("product_name", "Postroad");
        json.put("product_version", settings.version());
        json.put("cluster_name", settings.node());
        json.put("node", settings.node());
        json.put("rates_mode", "basic");
        json.put("exchange_types", exchangeTypes());
        json.put("message_stats", snapshot.messageStats());
        json.put("queue_totals", snapshot.messageTotals(null));
        Map<String, @Nullable Object> objects = new LinkedHashMap<>();
        objects.put("channels", snapshot.channels(null, null).size());
        objects.put("connections", snapshot.connections().size());
        objects.put("consumers", snapshot.consumers(null).size());
        objects.put("exchanges", snapshot.exchanges(settings.virtualHosts()).size());
        objects.put(
                "queues",
                snapshot.status().queues().size() + snapshot.status().streams().size());
        json.put("object_totals", objects);
        json.put("statistics_db_event_queue", 0);
        json.put("listeners", listeners());
        json.put("contexts", List.of());
        return json;
    }

    private static List<Map<String, Object>> exchangeTypes() {
        return TYPES.stream()
                .map(type -> Map.<String, Object>of(
                        "name", type, "description", "AMQP " + type + " exchange", "enabled", true))
                .toList();
    }

    List<Map<String, Object>> listeners() {
        List<Map<String, Object>> listeners = new ArrayList<>();
        for (ManagementSettings.Listener listener : settings.listeners().get()) {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("node", settings.node());
            json.put("protocol", listener.protocol());
            json.put("ip_address", listener.address());
            json.put("port", listener.port());
            json.put("socket_opts", Map.of());
            listeners.add(json);
        }
        return listeners;
    }

    Map<String, @Nullable Object> node() {
        Runtime runtime = Runtime.getRuntime();
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", settings.node());
        json.put("type", "disc");
        json.put("running", true);
        json.put("partitions", List.of());
        json.put("os_pid", String.valueOf(ProcessHandle.current().pid()));
        json.put("uptime", ManagementFactory.getRuntimeMXBean().getUptime());
        json.put("processors", runtime.availableProcessors());
        json.put("mem_used", runtime.totalMemory() - runtime.freeMemory());
        json.put("mem_limit", runtime.maxMemory());
        json.put("mem_alarm", false);
        json.put("proc_used", ManagementFactory.getThreadMXBean().getThreadCount());
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
            json.put("fd_used", system.getOpenFileDescriptorCount());
            json.put("fd_total", system.getMaxFileDescriptorCount());
        }
        if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
            json.put("mem_total", system.getTotalMemorySize());
        }
        json.put("sockets_used", broker.connections().size());
        Path data = settings.data();
        if (data != null) {
            json.put("db_dir", data.toAbsolutePath().normalize().toString());
            try {
                long free = Files.getFileStore(data).getUsableSpace();
                json.put("disk_free", free);
                json.put("disk_free_limit", settings.diskLowWaterBytes());
                json.put("disk_free_alarm", free < settings.diskLowWaterBytes());
            } catch (IOException e) {
                json.put("disk_free_alarm", true); // what can't even be asked can't be written
            }
        }
        json.put("rates_mode", "basic");
        json.put("exchange_types", exchangeTypes());
        json.put(
                "auth_mechanisms",
                List.of("PLAIN", "AMQPLAIN", "EXTERNAL").stream()
                        .map(name -> Map.of("name", name, "description", "SASL " + name, "enabled", true))
                        .toList());
        json.put("enabled_plugins", List.of());
        json.put("applications", List.of());
        json.put("contexts", List.of());
        return json;
    }

    /** Why it accepts no publishes; null while it does. */
    @Nullable
    String alarm() {
        String failure = broker.failure().orElse(null);
        if (failure != null) {
            return failure;
        }
        return Boolean.TRUE.equals(node().get("disk_free_alarm"))
                ? "the disk has less than " + settings.diskLowWaterBytes() + " bytes free"
                : null;
    }
}
