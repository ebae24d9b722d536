package dev.postroad.patterns.eventstore;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;

/**
 * Something that happened.
 *
 * @param id its own, 1 to 200 characters
 * @param type what happened, {@code OrderPlaced} for example, 1 to 200 characters
 * @param schema version of the form of its data, 1 or more
 * @param data what is to be known about it
 * @param headers more about it: who, why, on whose behalf
 */
public record Event(String id, String type, int schema, byte[] data, Map<String, String> headers) {

    /** @throws IllegalArgumentException naming what is out of its bounds */
    public Event {
        headers = Map.copyOf(headers);
        if (id.isEmpty() || id.length() > 200) {
            throw new IllegalArgumentException("id is '" + id + "'; it must be 1 to 200 characters long");
        }
        if (type.isEmpty() || type.length() > 200) {
            throw new IllegalArgumentException("type is '" + type + "'; it must be 1 to 200 characters long");
        }
        if (schema < 1) {
            throw new IllegalArgumentException("schema is " + schema + "; it must be 1 or more");
        }
    }

    /** An event of schema 1, with an id made up and no headers. */
    public static Event of(String type, byte[] data) {
        return new Event(UUID.randomUUID().toString(), type, 1, data, Map.of());
    }

    /** The same, with text as UTF-8. */
    public static Event of(String type, String data) {
        return of(type, data.getBytes(StandardCharsets.UTF_8));
    }

    /** The data as UTF-8. */
    public String text() {
        return new String(data, StandardCharsets.UTF_8);
    }

    /** This event in another form. */
    public Event withSchema(int newSchema, byte[] newData) {
        return new Event(id, type, newSchema, newData, headers);
    }

    /** This event with exactly these headers. */
    public Event withHeaders(Map<String, String> newHeaders) {
        return new Event(id, type, schema, data, newHeaders);
    }
}
