package dev.postroad.server;

import dev.postroad.engine.channel.Quantity;
import dev.postroad.engine.channel.Words;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A map of the configuration, read by key. {@code maxAttempts}, {@code max-attempts} and {@code max_attempts} are the same
 * key. What is not known, or not of the type, is a problem with its place.
 */
final class Section {
    private final String path;
    private final Yaml.Place place;
    private final Map<String, Yaml.Entry> entries = new LinkedHashMap<>();
    private final List<String> problems;

    private Section(String path, Yaml.Place place, List<String> problems) {
        this.path = path;
        this.place = place;
        this.problems = problems;
    }

    /**
     * @param path where the map stands: empty, or ending with a dot
     * @param known its keys; empty if it may have any
     */
    static Section of(
            String path, Yaml.@Nullable Item item, Yaml.Place otherwise, List<String> known, List<String> problems) {
        Section section = new Section(path, item == null ? otherwise : item.place(), problems);
        if (item == null || item.value() == null) {
            return section;
        }
        if (!(item.value() instanceof Map<?, ?> map)) {
            String name = path.isEmpty() ? path : path.substring(0, path.length() - 1);
            problems.add(item.place() + ": '" + name + "' must have keys and values");
            return section;
        }
        map.forEach((key, value) -> section.take(String.valueOf(key), (Yaml.Entry) value, known));
        return section;
    }

    private void take(String key, Yaml.Entry entry, List<String> known) {
        if (known.isEmpty()) {
            entries.put(key, entry);
            return;
        }
        String name = known.contains(key) ? key : spelt(key, known);
        if (name == null) {
            problems.add(entry.place() + ": '" + path + key + "' is not known" + Words.hint(key, known));
        } else if (entries.put(name, entry) != null) {
            problems.add(entry.place() + ": '" + path + name + "' is given twice, in different spellings");
        }
    }

    /** The known key that this one is another spelling of; null if there is none. */
    private static @Nullable String spelt(String key, List<String> known) {
        String wanted = plain(key);
        for (String candidate : known) {
            if (plain(candidate).equals(wanted)) {
                return candidate;
            }
        }
        return null;
    }

    static String plain(String key) {
        return key.toLowerCase(Locale.ROOT).replace("-", "").replace("_", "");
    }

    Map<String, Yaml.Entry> entries() {
        return entries;
    }

    Yaml.Place place() {
        return place;
    }

    /** Where a key stands; where the section stands if it has no such key. */
    Yaml.Place place(String key) {
        Yaml.Entry entry = entries.get(key);
        return entry == null ? place : entry.item().place();
    }

    Yaml.@Nullable Item item(String key) {
        Yaml.Entry entry = entries.get(key);
        return entry == null ? null : entry.item();
    }

    void problem(String key, String what) {
        problems.add(place(key) + ": '" + path + key + "' " + what);
    }

    private @Nullable Object value(String key) {
        Yaml.Item item = item(key);
        return item == null ? null : item.value();
    }

    private static String shown(Object value) {
        String text = value instanceof Map || value instanceof List ? "not a single value" : "'" + value + "'";
        return text.length() <= 60 ? text : text.substring(0, 60) + "…'";
    }

    @Nullable
    String text(String key) {
        Object value = value(key);
        if (value instanceof Map || value instanceof List) {
            problem(key, "is " + shown(value) + "; it must be a text");
            return null;
        }
        return value == null ? null : String.valueOf(value);
    }

    boolean flag(String key, boolean otherwise) {
        Object value = value(key);
        if (value == null) {
            return otherwise;
        }
        if (value instanceof Boolean flag) {
            return flag;
        }
        problem(key, "is " + shown(value) + "; it must be true or false");
        return otherwise;
    }

    long whole(String key, long least, long most, long otherwise) {
        Object value = value(key);
        if (value == null) {
            return otherwise;
        }
        if (value instanceof Long number && number >= least && number <= most) {
            return number;
        }
        problem(key, "is " + shown(value) + "; it must be a whole number from " + least + " to " + most);
        return otherwise;
    }

    /** A share, over 0 to 1. */
    double fraction(String key, double otherwise) {
        Object value = value(key);
        if (value == null) {
            return otherwise;
        }
        if (value instanceof Number number && number.doubleValue() > 0 && number.doubleValue() <= 1) {
            return number.doubleValue();
        }
        problem(key, "is " + shown(value) + "; it must be a number over 0 to 1");
        return otherwise;
    }

    /** A size in bytes. */
    long size(String key, long least, long most, long otherwise) {
        Object value = value(key);
        if (value == null) {
            return otherwise;
        }
        try {
            long bytes = Quantity.bytes(String.valueOf(value));
            if (bytes >= least && bytes <= most) {
                return bytes;
            }
            problem(key, "is " + value + "; it must be from " + Quantity.size(least) + " to " + Quantity.size(most));
        } catch (IllegalArgumentException e) {
            problem(key, "can't be read: " + e.getMessage());
        }
        return otherwise;
    }

    /** A time in milliseconds. */
    long time(String key, long least, long most, long otherwise) {
        Object value = value(key);
        if (value == null) {
            return otherwise;
        }
        try {
            long millis = Quantity.millis(String.valueOf(value));
            if (millis >= least && millis <= most) {
                return millis;
            }
            problem(key, "is " + value + "; it must be from " + Quantity.time(least) + " to " + Quantity.time(most));
        } catch (IllegalArgumentException e) {
            problem(key, "can't be read: " + e.getMessage());
        }
        return otherwise;
    }

    <E extends Enum<E>> @Nullable E choice(String key, Class<E> type) {
        Object value = value(key);
        if (value == null) {
            return null;
        }
        String wanted = plain(String.valueOf(value));
        for (E constant : type.getEnumConstants()) {
            if (plain(constant.name()).equals(wanted)) {
                return constant;
            }
        }
        List<String> words = Stream.of(type.getEnumConstants())
                .map(c -> c.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .toList();
        problem(key, "is " + shown(value) + "; it must be one of " + String.join(", ", words));
        return null;
    }

    /** The map as plain values, its keys spelt as the known ones are. */
    Map<String, @Nullable Object> plainMap() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        entries.forEach((key, entry) -> map.put(key, plainValue(entry.item().value())));
        return map;
    }

    static @Nullable Object plainValue(@Nullable Object value) {
        if (value instanceof Map<?, ?> inner) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            inner.forEach((key, entry) -> map.put(
                    String.valueOf(key), plainValue(((Yaml.Entry) entry).item().value())));
            return map;
        }
        if (value instanceof List<?> list) {
            return list.stream().map(e -> plainValue(((Yaml.Item) e).value())).toList();
        }
        return value;
    }
}
