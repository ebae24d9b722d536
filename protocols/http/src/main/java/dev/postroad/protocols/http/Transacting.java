package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.Outcome;
import dev.postroad.engine.Command.Position;
import dev.postroad.engine.Command.Published;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.protocols.http.Settling.Claimed;
import dev.postroad.security.Permission.Action;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Publishes, settlements and offsets that take effect together or not at all. */
final class Transacting {
    private static final int MAX_OPERATIONS = 10_000;

    private final Broker broker;
    private final Catalog catalog;
    private final Consumers consumers;

    Transacting(Broker broker, Catalog catalog, Consumers consumers) {
        this.broker = broker;
        this.catalog = catalog;
        this.consumers = consumers;
    }

    private record Sent(String channel, List<EngineMessage> messages) {}

    private record Of(long consumer, Outcome outcome) {}

    /** {@code POST …/transactions} */
    void transact(Exchange exchange) throws Exception {
        BodyBudget.Body body = exchange.body(exchange.settings().maxBatchBytes());
        JsonFields fields =
                exchange.json(body.bytes(), body.length(), "publishes", "acknowledge", "settlements", "offsets");
        List<Command> commands = new ArrayList<>();
        List<Sent> sent = publishes(fields);
        for (Sent one : sent) {
            exchange.caller().require(Action.WRITE, one.channel);
            commands.add(new Command.Publish(null, one.channel, one.messages, null, true, null, Reply.ignored()));
        }
        JsonFields offsets = fields.object("offsets", List.of("group", "positions"));
        if (offsets != null) {
            List<Position> positions = Grouping.positions(offsets, "positions", MAX_OPERATIONS);
            positions.forEach(position -> exchange.caller().require(Action.READ, position.stream()));
            commands.add(new Command.CommitOffsets(offsets.requiredText("group"), null, positions, Reply.ignored()));
        }
        List<Settling.Settlement> settlements = Settling.read(fields, MAX_OPERATIONS);
        if (commands.isEmpty() && settlements.isEmpty()) {
            throw Problem.invalid(
                    "the transaction is empty; give 'publishes', 'acknowledge', 'settlements' or 'offsets'");
        }
        Map<Of, List<Claimed>> claimed = claim(settlements);
        boolean done = false;
        try {
            claimed.forEach((of, deliveries) ->
                    commands.add(Claimed.settle(of.consumer, deliveries, of.outcome, Reply.ignored())));
            List<Published> published =
                    broker.await((Reply<List<Published>> reply) -> new Command.Transact(commands, reply));
            done = true;
            answer(exchange, sent, published, settlements.size());
        } finally {
            if (!done) {
                unclaim(claimed);
            }
        }
    }

    private List<Sent> publishes(JsonFields fields) {
        List<Sent> sent = new ArrayList<>();
        long now = System.currentTimeMillis();
        for (JsonNode node : Settling.array(fields, "publishes", MAX_OPERATIONS)) {
            if (!(node instanceof ObjectNode object)) {
                throw Problem.invalid("'publishes' must be an array of objects");
            }
            JsonFields publish = new JsonFields("publishes.", object, List.of("channel", "message"));
            String name = publish.requiredText("channel");
            if (!(publish.node("message") instanceof ObjectNode message)) {
                throw Problem.invalid("'publishes.message' is missing; it must be an object");
            }
            ChannelDeclaration channel = catalog.channel(name);
            EngineMessage fitting = Publishing.fit(channel, MessageJson.read("publishes.message.", message, now));
            Sent last = sent.isEmpty() ? null : sent.getLast();
            if (last != null && last.channel.equals(name)) {
                last.messages.add(fitting);
            } else {
                sent.add(new Sent(name, new ArrayList<>(List.of(fitting))));
            }
        }
        return sent;
    }

    private Map<Of, List<Claimed>> claim(List<Settling.Settlement> settlements) {
        Map<Of, List<Claimed>> claimed = new LinkedHashMap<>();
        List<DeliveryId> lost = new ArrayList<>();
        for (Settling.Settlement settlement : settlements) {
            if (settlement.outcome() instanceof Outcome.Extend) {
                throw Problem.invalid("'extend' can't be part of a transaction");
            }
            HttpConsumer consumer = consumers.of(settlement.delivery());
            int attempt = consumer == null ? 0 : consumer.claim(settlement.delivery());
            if (attempt == 0) {
                lost.add(settlement.delivery());
            } else {
                claimed.computeIfAbsent(
                                new Of(settlement.delivery().consumer(), settlement.outcome()), of -> new ArrayList<>())
                        .add(new Claimed(settlement.delivery(), attempt));
            }
        }
        if (!lost.isEmpty()) {
            unclaim(claimed);
            throw new Problem(
                            409,
                            "NOT_DELIVERED",
                            lost.size() + " of the deliveries are not, or no longer, in your hands; nothing of the"
                                    + " transaction took effect")
                    .with("lost", lost.stream().map(DeliveryId::toString).toList());
        }
        return claimed;
    }

    private void unclaim(Map<Of, List<Claimed>> claimed) {
        claimed.values()
                .forEach(deliveries -> deliveries.forEach(each -> {
                    HttpConsumer consumer = consumers.of(each.delivery());
                    if (consumer != null) {
                        consumer.unclaim(each.delivery(), each.attempt());
                    }
                }));
    }

    private static void answer(Exchange exchange, List<Sent> sent, List<Published> published, int settled) {
        exchange.answer(200, json -> {
            json.writeStartObject();
            json.writeNumberProperty("settled", settled);
            json.writeArrayPropertyStart("receipts");
            for (int i = 0; i < sent.size(); i++) {
                Published outcome = i < published.size() ? published.get(i) : null;
                List<EngineMessage> messages = sent.get(i).messages;
                for (int k = 0; k < messages.size(); k++) {
                    json.writeStartObject();
                    MessageJson.text(json, "id", messages.get(k).id());
                    json.writeStringProperty("channel", sent.get(i).channel);
                    if (outcome != null && outcome.offsets().length >= 2 * k + 2) {
                        json.writeNumberProperty("partition", outcome.offsets()[2 * k]);
                        json.writeNumberProperty("offset", outcome.offsets()[2 * k + 1]);
                    }
                    json.writeEndObject();
                }
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }
}
