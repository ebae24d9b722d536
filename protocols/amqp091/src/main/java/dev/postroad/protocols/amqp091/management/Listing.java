package dev.postroad.protocols.amqp091.management;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Pages, sorts and cuts lists as the query says: {@code page}, {@code page_size}, {@code name}, {@code sort}, {@code columns}. */
final class Listing {
    private static final int DEFAULT_PAGE = 100;
    private static final int LARGEST_PAGE = 500;
    /** What tools add to keep caches away, or to ask for history, which is not kept: without it they show none. */
    private static final Set<String> HISTORY = Set.of(
            "lengths_age",
            "lengths_incr",
            "msg_rates_age",
            "msg_rates_incr",
            "data_rates_age",
            "data_rates_incr",
            "node_stats_age",
            "node_stats_incr",
            "disable_stats",
            "enable_queue_totals",
            "_");

    private final Map<String, String> query;

    Listing(Map<String, String> query) {
        this.query = query;
        for (String name : query.keySet()) {
            if (!HISTORY.contains(name)
                    && !Set.of(
                                    "page",
                                    "page_size",
                                    "name",
                                    "use_regex",
                                    "pagination",
                                    "sort",
                                    "sort_reverse",
                                    "columns")
                            .contains(name)) {
                throw ApiProblem.bad("the query parameter '" + name + "' is not known here");
            }
        }
        if ("true".equals(query.get("use_regex"))) {
            throw ApiProblem.notSupported("use_regex=true is not supported; without it 'name' finds parts of names");
        }
    }

    Object of(List<Map<String, @Nullable Object>> all) {
        List<Map<String, @Nullable Object>> items = new ArrayList<>(all);
        String wanted = query.get("name");
        if (wanted != null && !wanted.isEmpty()) {
            String lower = wanted.toLowerCase(Locale.ROOT);
            items.removeIf(item ->
                    !String.valueOf(item.get("name")).toLowerCase(Locale.ROOT).contains(lower));
        }
        String sort = query.get("sort");
        if (sort != null && !sort.isEmpty()) {
            Comparator<Map<String, @Nullable Object>> order = (a, b) -> compare(at(a, sort), at(b, sort));
            items.sort("true".equals(query.get("sort_reverse")) ? order.reversed() : order);
        }
        if (!query.containsKey("page")) {
            return columns(items);
        }
        int size = number("page_size", 1, LARGEST_PAGE, DEFAULT_PAGE);
        int pages = Math.max(1, (items.size() + size - 1) / size);
        int page = number("page", 1, Integer.MAX_VALUE, 1);
        if (page > pages) {
            throw new ApiProblem(
                    400, "page_out_of_range", "page: " + page + " page size: " + size + " length: " + items.size());
        }
        List<Map<String, @Nullable Object>> shown =
                items.subList((page - 1) * size, Math.min(items.size(), page * size));
        Map<String, @Nullable Object> answer = new LinkedHashMap<>();
        answer.put("filtered_count", items.size());
        answer.put("item_count", shown.size());
        answer.put("items", columns(shown));
        answer.put("page", page);
        answer.put("page_count", pages);
        answer.put("page_size", size);
        answer.put("total_count", all.size());
        return answer;
    }

    private int number(String name, int least, int most, int otherwise) {
        String text = query.get(name);
        if (text == null || text.isEmpty()) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw ApiProblem.bad(name + " is '" + text + "'; it must be a number");
        }
        throw ApiProblem.bad(name + " is " + text + "; it must be " + least + " to " + most);
    }

    private List<Map<String, @Nullable Object>> columns(List<Map<String, @Nullable Object>> items) {
        return items.stream().map(this::columns).toList();
    }

    /** The columns that are asked for; {@code a.b} is the member b of the member a. */
    Map<String, @Nullable Object> columns(Map<String, @Nullable Object> item) {
        String wanted = query.get("columns");
        if (wanted == null || wanted.isEmpty()) {
            return item;
        }
        Map<String, @Nullable Object> cut = new LinkedHashMap<>();
        for (String column : wanted.split(",")) {
            Object value = at(item, column);
            if (value != null || item.containsKey(column)) {
                put(cut, column, value);
            }
        }
        return cut;
    }

    @SuppressWarnings("unchecked") // inner maps are its own
    private static void put(Map<String, @Nullable Object> into, String column, @Nullable Object value) {
        int dot = column.indexOf('.');
        if (dot < 0) {
            into.put(column, value);
        } else {
            Object inner = into.computeIfAbsent(column.substring(0, dot), name -> new LinkedHashMap<String, Object>());
            if (inner instanceof Map<?, ?> map) {
                put((Map<String, @Nullable Object>) map, column.substring(dot + 1), value);
            }
        }
    }

    private static @Nullable Object at(Map<?, ?> item, String column) {
        Object value = item.get(column);
        int dot = column.indexOf('.');
        if (value == null && dot > 0 && item.get(column.substring(0, dot)) instanceof Map<?, ?> inner) {
            return at(inner, column.substring(dot + 1));
        }
        return value;
    }

    private static int compare(@Nullable Object a, @Nullable Object b) {
        if (a instanceof Number x && b instanceof Number y) {
            return Double.compare(x.doubleValue(), y.doubleValue());
        }
        return String.valueOf(a).compareTo(String.valueOf(b));
    }
}
