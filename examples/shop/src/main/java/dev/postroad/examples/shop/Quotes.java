package dev.postroad.examples.shop;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.examples.shop.Order.Zone;
import dev.postroad.patterns.gather.GatherSettings;
import dev.postroad.patterns.gather.Gathered;
import dev.postroad.patterns.gather.ScatterGather;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** What shippers ask for a parcel: all are asked at once, and the cheapest of those that answered in time gets it. */
final class Quotes implements AutoCloseable {
    static final Duration TIMEOUT = Duration.ofSeconds(3);

    /** Their prices in cents, by zone. The pigeon's loft is closed: there is a channel to ask it on, and nobody at the other end. */
    private static final Map<String, Map<Zone, Long>> SHIPPERS = shippers();

    private final Plan plan;
    private final ScatterGather<String, String, String, String> shippers;
    private final List<Subscription> servers = new ArrayList<>();

    /**
     * The quotes for one zone.
     *
     * @param zone where the parcel goes
     * @param offers in cents, by shipper, of those that answered in time
     * @param silent those that did not
     * @param cheapest who gets it
     * @param cents what it costs
     */
    record Quote(Zone zone, Map<String, Long> offers, List<String> silent, String cheapest, long cents) {}

    Quotes(Postroad postroad, Plan plan) {
        this.plan = plan;
        String[] channels = SHIPPERS.keySet().stream().map(plan::quotes).toArray(String[]::new);
        for (String channel : channels) {
            postroad.declare(Channel.request(channel));
        }
        SHIPPERS.forEach((shipper, prices) -> {
            if (!prices.isEmpty()) {
                servers.add(postroad.reply(
                        plan.quotes(shipper),
                        ConsumerOptions.DEFAULT,
                        Format.strings(),
                        Format.strings(),
                        question -> Message.of(
                                question.key(),
                                String.valueOf(prices.get(Zone.valueOf(String.valueOf(question.value())))))));
            }
        });
        this.shippers = new ScatterGather<>(
                postroad, GatherSettings.of(channels).withTimeout(TIMEOUT), Format.strings(), Format.strings());
    }

    private static Map<String, Map<Zone, Long>> shippers() {
        Map<String, Map<Zone, Long>> shippers = new LinkedHashMap<>();
        shippers.put(
                "courier", Map.of(Zone.CITY, 390L, Zone.COUNTRY, 790L, Zone.OVERSEAS, 3_900L, Zone.LIGHTHOUSE, 5_900L));
        shippers.put(
                "post", Map.of(Zone.CITY, 450L, Zone.COUNTRY, 490L, Zone.OVERSEAS, 2_250L, Zone.LIGHTHOUSE, 1_290L));
        shippers.put("pigeon", Map.of());
        return shippers;
    }

    static List<String> names() {
        return List.copyOf(SHIPPERS.keySet());
    }

    /** Asks for all zones at once. Whoever does not answer costs the timeout once, and no exception. */
    List<Quote> ask() {
        Map<Zone, CompletableFuture<Gathered<String, String>>> asked = new LinkedHashMap<>();
        for (Zone zone : Zone.values()) {
            asked.put(zone, shippers.ask(Message.of(zone.name(), zone.name())));
        }
        List<Quote> quotes = new ArrayList<>();
        asked.forEach((zone, answer) -> quotes.add(quote(zone, answer.join())));
        return quotes;
    }

    private Quote quote(Zone zone, Gathered<String, String> gathered) {
        Map<String, Long> offers = new LinkedHashMap<>();
        List<String> silent = new ArrayList<>();
        String cheapest = "nobody";
        long cents = Long.MAX_VALUE;
        for (String shipper : SHIPPERS.keySet()) {
            Message<String, String> reply = gathered.replies().get(plan.quotes(shipper));
            if (reply == null) {
                silent.add(shipper);
                continue;
            }
            long offer = Long.parseLong(String.valueOf(reply.value()));
            offers.put(shipper, offer);
            if (offer < cents) {
                cheapest = shipper;
                cents = offer;
            }
        }
        if (offers.isEmpty()) {
            throw new IllegalStateException("no shipper answered within " + TIMEOUT + ": " + gathered.failures());
        }
        return new Quote(zone, offers, silent, cheapest, cents);
    }

    @Override
    public void close() {
        servers.forEach(Subscription::close);
    }
}
