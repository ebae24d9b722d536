package dev.postroad.protocols.amqp091.management;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Reads objects strictly, member by member, so that what is not known can be refused by name. */
final class ManagementJson {
    static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(64)
                            .maxStringLength(32 * 1024 * 1024)
                            .maxNumberLength(400)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final String what;
    private final Map<String, @Nullable Object> members;

    private ManagementJson(String what, Map<String, @Nullable Object> members) {
        this.what = what;
        this.members = members;
    }

    /** An empty body is an empty object, as it is for RabbitMQ. */
    static ManagementJson read(byte[] body) {
        if (body.length == 0) {
            return new ManagementJson("the body", new LinkedHashMap<>());
        }
        try {
            return of("the body", MAPPER.readValue(body, Object.class));
        } catch (JacksonException e) {
            throw ApiProblem.bad("the body is no JSON that is accepted here: " + e.getOriginalMessage());
        }
    }

    static ManagementJson of(String what, @Nullable Object value) {
        if (!(value instanceof Map<?, ?> map)) {
            throw ApiProblem.bad(what + " must be a JSON object");
        }
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        map.forEach((name, member) -> members.put(String.valueOf(name), member));
        return new ManagementJson(what, members);
    }

    /** Takes a member out; null if it is missing. */
    @Nullable
    Object take(String name) {
        return members.remove(name);
    }

    String text(String name, @Nullable String otherwise) {
        Object value = take(name);
        if (value == null && otherwise != null) {
            return otherwise;
        }
        if (value instanceof String text) {
            return text;
        }
        throw ApiProblem.bad(what + ": '" + name + "' " + (value == null ? "is missing" : "must be a text"));
    }

    boolean flag(String name, boolean otherwise) {
        Object value = take(name);
        return switch (value) {
            case null -> otherwise;
            case Boolean flag -> flag;
            case String text when text.equals("true") || text.equals("false") -> text.equals("true");
            default -> throw ApiProblem.bad(what + ": '" + name + "' must be true or false");
        };
    }

    /** A number, which tools also write as a text. */
    int number(String name, int least, int most, int otherwise) {
        Object value = take(name);
        try {
            int number = switch (value) {
                case null -> otherwise;
                case Integer whole -> whole;
                case String text -> Integer.parseInt(text);
                default -> throw new NumberFormatException();
            };
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw ApiProblem.bad(what + ": '" + name + "' must be a whole number");
        }
        throw ApiProblem.bad(what + ": '" + name + "' is " + value + "; it must be " + least + " to " + most);
    }

    Map<String, @Nullable Object> table(String name) {
        Object value = take(name);
        return value == null ? Map.of() : of(what + ": '" + name + "'", normalized(value)).members;
    }

    List<ManagementJson> list(String name) {
        Object value = take(name);
        List<ManagementJson> list = new ArrayList<>();
        if (value instanceof List<?> items) {
            int index = 0;
            for (Object item : items) {
                list.add(of(name + "[" + index++ + "]", item));
            }
        } else if (value != null) {
            throw ApiProblem.bad(what + ": '" + name + "' must be a list");
        }
        return list;
    }

    /** Tags are a list, or a text with commas. */
    static List<String> tags(@Nullable Object value) {
        List<String> tags = new ArrayList<>();
        if (value instanceof List<?> items) {
            items.forEach(item -> tags.add(String.valueOf(item)));
        } else if (value instanceof String text) {
            for (String tag : text.split(",")) {
                if (!tag.isBlank()) {
                    tags.add(tag.strip());
                }
            }
        } else if (value != null) {
            throw ApiProblem.bad("'tags' must be a list or a text with commas");
        }
        return tags;
    }

    void ignore(String... names) {
        for (String name : names) {
            members.remove(name);
        }
    }

    /** @throws ApiProblem naming what was sent and nobody took */
    void requireNothingLeft() {
        if (!members.isEmpty()) {
            throw ApiProblem.bad(what + ": not known: " + String.join(", ", members.keySet()));
        }
    }

    boolean isEmpty() {
        return members.isEmpty();
    }

    Iterable<String> names() {
        return List.copyOf(members.keySet());
    }

    String what() {
        return what;
    }

    /** Whole numbers as AMQP's clients send them: as long as they need be. */
    static @Nullable Object normalized(@Nullable Object value) {
        return switch (value) {
            case Integer number -> number.longValue();
            case Map<?, ?> map -> {
                Map<String, @Nullable Object> copy = new LinkedHashMap<>();
                map.forEach((name, inner) -> copy.put(String.valueOf(name), normalized(inner)));
                yield copy;
            }
            case List<?> list -> {
                List<@Nullable Object> copy = new ArrayList<>();
                list.forEach(inner -> copy.add(normalized(inner)));
                yield copy;
            }
            case null, default -> value;
        };
    }
}
