package dev.postroad.examples.shop;

import dev.postroad.patterns.eventstore.StoredEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What is printed. The same seed prints the same, whichever the broker and the database, and however often workers die. */
final class Report {
    private Report() {}

    static List<String> quotes(List<Quotes.Quote> quotes) {
        List<List<String>> rows = new ArrayList<>();
        List<String> heads = new ArrayList<>(List.of("PARCEL TO"));
        Quotes.names().forEach(name -> heads.add(name.toUpperCase(Locale.ROOT)));
        heads.add("GOES BY");
        rows.add(heads);
        for (Quotes.Quote quote : quotes) {
            List<String> row = new ArrayList<>(List.of(Text.lower(quote.zone())));
            for (String name : Quotes.names()) {
                Long offer = quote.offers().get(name);
                row.add(offer == null ? "no answer" : Text.money(offer));
            }
            row.add(quote.cheapest());
            rows.add(row);
        }
        List<String> lines = new ArrayList<>(Text.table(rows));
        List<String> silent = quotes.stream()
                .flatMap(quote -> quote.silent().stream())
                .distinct()
                .toList();
        if (!silent.isEmpty()) {
            lines.add("  not waited for any longer after " + Quotes.TIMEOUT.toSeconds() + " s: "
                    + String.join(", ", silent));
        }
        return lines;
    }

    static List<String> outcomes(Books books) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("OUTCOME", "ORDERS", "WORTH"));
        books.outcomes()
                .forEach((name, outcome) ->
                        rows.add(List.of(name, Text.count(outcome.orders()), Text.money(outcome.cents()))));
        return titled("How the orders ended", Text.table(rows));
    }

    static List<String> products(Books books) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("PRODUCT", "AT FIRST", "SOLD", "LEFT", "BROUGHT"));
        for (Books.Goods goods : books.products()) {
            rows.add(List.of(
                    goods.name(),
                    Text.count(goods.initial()),
                    Text.count(goods.sold()),
                    Text.count(goods.onHand()),
                    Text.money(goods.cents())));
        }
        return titled("What was sold, shipping included", Text.table(rows));
    }

    static List<String> story(Order order, List<StoredEvent> events, List<Stops.Place> stops) {
        List<String> lines = new ArrayList<>();
        for (StoredEvent event : events) {
            String type = event.event().type();
            lines.add("  " + event.version() + "  " + type + " ".repeat(Math.max(1, 20 - type.length()))
                    + event.event().headers().getOrDefault(History.NOTE, ""));
            stops.stream()
                    .filter(stop -> stop.event.equals(type))
                    .forEach(stop -> lines.add("     a worker stopped dead " + stop.story));
        }
        return titled("The story of " + order.id() + ", by " + order.customer(), lines);
    }

    static List<String> sums(Books books) {
        List<String> ends = new ArrayList<>();
        books.outcomes().forEach((name, outcome) -> ends.add(Text.count(outcome.orders()) + " " + name));
        return titled(
                "The books, from what each service recorded",
                List.of(
                        sum(
                                books.ordersBalance(),
                                "orders  " + Text.count(books.orders()) + " = " + String.join(" + ", ends)),
                        sum(
                                books.goodsBalance(),
                                "goods   " + Text.count(books.initial()) + " = " + Text.count(books.onHand())
                                        + " left + " + Text.count(books.sold()) + " sold"),
                        sum(
                                books.moneyBalances(),
                                "money   " + Text.money(books.taken()) + " taken - " + Text.money(books.givenBack())
                                        + " given back = " + Text.money(books.invoiced()) + " invoiced = "
                                        + Text.money(books.revenue()) + " in the sales"),
                        "  lost    " + Text.count(books.orders() - books.ended()),
                        "  twice   " + Text.count(books.twice())));
    }

    private static String sum(boolean holds, String text) {
        return "  " + text + (holds ? "" : "   DOES NOT BALANCE");
    }

    private static List<String> titled(String title, List<String> lines) {
        List<String> all = new ArrayList<>(List.of("", title));
        all.addAll(lines);
        return all;
    }
}
