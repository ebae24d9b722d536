package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.Position;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.security.Permission.Action;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Groups of streams: shared ones, which settle each message, and those that only store offsets. */
final class Grouping {
    private final Broker broker;
    private final Catalog catalog;
    private final Consumers consumers;

    Grouping(Broker broker, Catalog catalog, Consumers consumers) {
        this.broker = broker;
        this.catalog = catalog;
        this.consumers = consumers;
    }

    /** {@code GET …/channels/{channel}/groups} */
    void ofChannel(Exchange exchange) {
        ChannelDeclaration channel = catalog.channel(exchange.path("channel"));
        EngineStatus status = broker.await(Command.Inspect::new);
        List<Map<String, @Nullable Object>> groups = new ArrayList<>();
        for (EngineStatus.Group group : status.groups()) {
            boolean shared = channel.name().equals(group.stream());
            boolean stored = group.positions().stream().anyMatch(p -> p.stream().equals(channel.name()));
            if (shared || stored) {
                groups.add(describe(group));
            }
        }
        exchange.answer(200, Map.of("groups", groups));
    }

    /** {@code GET …/groups} */
    void list(Exchange exchange) {
        EngineStatus status = broker.await(Command.Inspect::new);
        exchange.answer(
                200,
                Map.of(
                        "groups",
                        status.groups().stream().map(Grouping::describe).toList()));
    }

    private static Map<String, @Nullable Object> describe(EngineStatus.Group group) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("group", group.name());
        map.put("channel", group.stream());
        EngineStatus.Queue shared = group.shared();
        if (shared != null) {
            map.put("lag", shared.ready() + shared.inFlight() + shared.delayed() + shared.parked());
            map.put("inFlight", shared.inFlight());
            map.put("delayed", shared.delayed());
            map.put("parked", shared.parked());
            map.put("consumers", Declaring.consumers(shared));
            map.put("counters", Declaring.counters(shared.counters()));
        } else {
            map.put(
                    "lag",
                    group.positions().stream()
                            .mapToLong(EngineStatus.GroupPosition::lag)
                            .sum());
            map.put("generation", group.generation());
            map.put("members", group.members());
        }
        map.put(
                "positions",
                group.positions().stream()
                        .map(p -> {
                            Map<String, Object> position = new LinkedHashMap<>();
                            position.put("channel", p.stream());
                            position.put("partition", p.partition());
                            position.put("offset", p.offset());
                            position.put("lag", p.lag());
                            return position;
                        })
                        .toList());
        return map;
    }

    /** {@code PUT …/channels/{channel}/groups/{group}} */
    void declare(Exchange exchange) throws Exception {
        JsonFields fields = exchange.jsonOrNothing("start");
        ChannelDeclaration channel = catalog.channel(exchange.path("channel"));
        String group = exchange.path("group");
        boolean isNew = consumers.declareGroup(channel, group, Receiving.start(fields.node("start")));
        exchange.answer(isNew ? 201 : 200, Map.of("group", group, "channel", channel.name()));
    }

    /** {@code DELETE …/channels/{channel}/groups/{group}} */
    void deleteShared(Exchange exchange) {
        String channel = exchange.path("channel");
        String group = exchange.path("group");
        boolean was = broker.await((Reply<Boolean> reply) -> new Command.DeleteSharedGroup(channel, group, reply));
        if (!was) {
            throw noGroup(group);
        }
        exchange.answerNothing();
    }

    private static Problem noGroup(String group) {
        return Problem.notFound("there is no group '" + group + "'");
    }

    /** {@code GET …/groups/{group}/offsets} */
    void offsets(Exchange exchange) {
        String group = exchange.path("group");
        List<Position> positions =
                broker.await((Reply<List<Position>> reply) -> new Command.GroupOffsets(group, reply));
        exchange.answer(
                200,
                Map.of(
                        "positions",
                        positions.stream()
                                .map(p -> {
                                    Map<String, @Nullable Object> map = new LinkedHashMap<>();
                                    map.put("channel", p.stream());
                                    map.put("partition", p.partition());
                                    map.put("offset", p.offset());
                                    map.put("metadata", p.metadata());
                                    return map;
                                })
                                .toList()));
    }

    /** {@code PUT …/groups/{group}/offsets} */
    void commit(Exchange exchange) throws Exception {
        JsonFields fields = exchange.json("positions");
        String group = exchange.path("group");
        ChannelDeclaration.checkName("group", group);
        List<Position> positions =
                positions(fields, "positions", exchange.settings().maxBatchMessages());
        positions.forEach(position -> exchange.caller().require(Action.READ, position.stream()));
        broker.await((Reply<Command.Done> reply) -> new Command.CommitOffsets(group, null, positions, reply));
        exchange.answerNothing();
    }

    static List<Position> positions(JsonFields fields, String name, int max) {
        List<Position> positions = new ArrayList<>();
        for (JsonNode node : Settling.array(fields, name, max)) {
            if (!(node instanceof ObjectNode object)) {
                throw Problem.invalid("'" + name + "' must be an array of objects");
            }
            JsonFields position =
                    new JsonFields(name + ".", object, List.of("channel", "partition", "offset", "metadata"));
            positions.add(new Position(
                    position.requiredText("channel"),
                    (int) position.whole("partition", 0, Integer.MAX_VALUE, 0),
                    position.whole("offset", 0, Long.MAX_VALUE, 0),
                    position.text("metadata")));
        }
        return positions;
    }

    /** {@code DELETE …/groups/{group}} */
    void delete(Exchange exchange) {
        String group = exchange.path("group");
        boolean was = broker.await((Reply<Boolean> reply) -> new Command.DeleteGroup(group, reply));
        if (!was) {
            throw noGroup(group);
        }
        exchange.answerNothing();
    }
}
