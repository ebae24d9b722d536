package dev.postroad.patterns.eventstore;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Events as bytes.
 *
 * <pre>
 *   form     1 byte, {@value #FORM}
 *   count    4 bytes, then each event:
 *     id, type   4 bytes length, UTF-8
 *     schema     4 bytes
 *     data       4 bytes length, bytes
 *     headers    4 bytes count, then name and value of each like the id
 * </pre>
 */
final class EventBytes {
    private static final int FORM = 1;

    private EventBytes() {}

    static byte[] encode(List<Event> events) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(FORM);
            out.writeInt(events.size());
            for (Event event : events) {
                write(out, event.id().getBytes(StandardCharsets.UTF_8));
                write(out, event.type().getBytes(StandardCharsets.UTF_8));
                out.writeInt(event.schema());
                write(out, event.data());
                out.writeInt(event.headers().size());
                for (Map.Entry<String, String> header : event.headers().entrySet()) {
                    write(out, header.getKey().getBytes(StandardCharsets.UTF_8));
                    write(out, header.getValue().getBytes(StandardCharsets.UTF_8));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** @throws UncheckedIOException if these are no events */
    static List<Event> decode(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            int form = in.readByte();
            int count = in.readInt();
            if (form != FORM || count < 0 || count > EventStore.MAX_EVENTS) {
                throw new IOException("form " + form + " with " + count + " events; form " + FORM + " with up to "
                        + EventStore.MAX_EVENTS + " is known here");
            }
            List<Event> events = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                events.add(event(in));
            }
            return events;
        } catch (IOException | IllegalArgumentException e) {
            throw new UncheckedIOException(
                    new IOException("these " + bytes.length + " bytes are no events: " + e.getMessage(), e));
        }
    }

    private static Event event(DataInputStream in) throws IOException {
        String id = text(in);
        String type = text(in);
        int schema = in.readInt();
        byte[] data = read(in);
        int headers = in.readInt();
        Map<String, String> map = new LinkedHashMap<>();
        for (int i = 0; i < headers; i++) {
            map.put(text(in), text(in));
        }
        return new Event(id, type, schema, data, map);
    }

    private static void write(DataOutputStream out, byte[] bytes) throws IOException {
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private static String text(DataInputStream in) throws IOException {
        return new String(read(in), StandardCharsets.UTF_8);
    }

    private static byte[] read(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > in.available()) {
            throw new IOException("a length of " + length + " where " + in.available() + " bytes are left");
        }
        return in.readNBytes(length);
    }
}
