package dev.postroad.engine;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The values that a header may have, each kept as exactly what it is: {@link String}, {@link Boolean}, {@link Byte}, {@link
 * Short}, {@link Integer}, {@link Long}, {@link Float}, {@link Double}, {@link BigDecimal}, {@link Instant}, {@code byte[]},
 * {@link List} and {@link Map} of such values, and {@link NoValue}.
 *
 * <pre>
 *   value    u8 type, then
 *    1 string  string          6 byte     i8            11 instant  seconds i64, nanoseconds varint
 *    2 long    i64             7 short    i16           12 list     varint count, values
 *    3 double  f64             8 integer  i32           13 map      varint count, name (string) and value each
 *    4 boolean u8              9 float    f32           14 no value
 *    5 bytes   bytes          10 decimal  scale signed varint, unscaled bytes (two's complement)
 * </pre>
 */
public final class HeaderValues {
    /** How deep lists and maps may lie in one another. */
    public static final int MAX_DEPTH = 32;

    /** How many values a message's headers may have in all, those in lists and maps counted. */
    public static final int MAX_VALUES = 10_000;

    private static final byte STRING = 1;
    private static final byte LONG = 2;
    private static final byte DOUBLE = 3;
    private static final byte BOOLEAN = 4;
    private static final byte BYTES = 5;
    private static final byte BYTE = 6;
    private static final byte SHORT = 7;
    private static final byte INTEGER = 8;
    private static final byte FLOAT = 9;
    private static final byte DECIMAL = 10;
    private static final byte INSTANT = 11;
    private static final byte LIST = 12;
    private static final byte MAP = 13;
    private static final byte NONE = 14;

    private HeaderValues() {}

    // ── Bounds ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /** @throws EngineException {@code INVALID} for a type that no header has, {@code TOO_LARGE} for what is too deep or too many */
    static void check(Map<String, Object> headers) {
        int values = 0;
        for (Map.Entry<String, Object> header : headers.entrySet()) {
            values = check(header.getKey(), header.getValue(), 0, values);
        }
    }

    private static int check(String name, @Nullable Object value, int depth, int before) {
        int values = before + 1;
        if (values > MAX_VALUES) {
            throw new EngineException(
                    EngineException.Reason.TOO_LARGE,
                    "the headers have more than " + MAX_VALUES + " values, those in lists and tables counted");
        }
        switch (value) {
            case String s -> {}
            case Boolean b -> {}
            case Byte n -> {}
            case Short n -> {}
            case Integer n -> {}
            case Long n -> {}
            case Float n -> {}
            case Double n -> {}
            case byte[] b -> {}
            case BigDecimal n -> {}
            case Instant i -> {}
            case NoValue n -> {}
            case List<?> list -> {
                checkDepth(name, depth);
                for (Object element : list) {
                    values = check(name, element, depth + 1, values);
                }
            }
            case Map<?, ?> map -> {
                checkDepth(name, depth);
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    if (!(entry.getKey() instanceof String)) {
                        throw new EngineException(
                                EngineException.Reason.INVALID,
                                "header '" + name + "' has a table with the name " + entry.getKey()
                                        + ", which is no String");
                    }
                    values = check(name, entry.getValue(), depth + 1, values);
                }
            }
            case null, default ->
                throw new EngineException(
                        EngineException.Reason.INVALID,
                        "header '" + name + "' is "
                                + (value == null
                                        ? "null"
                                        : "a " + value.getClass().getName())
                                + "; it must be a String, Boolean, Byte, Short, Integer, Long, Float, Double, BigDecimal,"
                                + " Instant, byte[], List, Map or NoValue");
        }
        return values;
    }

    private static void checkDepth(String name, int depth) {
        if (depth >= MAX_DEPTH) {
            throw new EngineException(
                    EngineException.Reason.TOO_LARGE,
                    "header '" + name + "' has lists and tables more than " + MAX_DEPTH + " deep");
        }
    }

    // ── Bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Most bytes that {@link #encode} can take for this checked value. */
    static long maxBytes(Object value) {
        return switch (value) {
            case String text -> 1L + Bytes.maxBytes(text);
            case byte[] bytes -> 6L + bytes.length;
            case BigDecimal number -> 17L + number.unscaledValue().bitLength() / 8;
            case List<?> list -> {
                long sum = 6;
                for (Object element : list) {
                    sum += maxBytes(element);
                }
                yield sum;
            }
            case Map<?, ?> map -> {
                long sum = 6;
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    sum += Bytes.maxBytes((String) entry.getKey()) + maxBytes(entry.getValue());
                }
                yield sum;
            }
            default -> 15;
        };
    }

    static void encode(Object value, ByteBuffer out) {
        switch (value) {
            case String text -> {
                out.put(STRING);
                Bytes.putString(out, text);
            }
            case Long number -> out.put(LONG).putLong(number);
            case Double number -> out.put(DOUBLE).putDouble(number);
            case Boolean flag -> out.put(BOOLEAN).put((byte) (flag ? 1 : 0));
            case byte[] bytes -> {
                out.put(BYTES);
                Bytes.putBytes(out, bytes);
            }
            case Byte number -> out.put(BYTE).put(number);
            case Short number -> out.put(SHORT).putShort(number);
            case Integer number -> out.put(INTEGER).putInt(number);
            case Float number -> out.put(FLOAT).putFloat(number);
            case BigDecimal number -> {
                out.put(DECIMAL);
                Bytes.putSigned(out, number.scale());
                Bytes.putBytes(out, number.unscaledValue().toByteArray());
            }
            case Instant instant -> {
                out.put(INSTANT).putLong(instant.getEpochSecond());
                Bytes.putVarint(out, instant.getNano());
            }
            case List<?> list -> {
                out.put(LIST);
                Bytes.putVarint(out, list.size());
                for (Object element : list) {
                    encode(element, out);
                }
            }
            case Map<?, ?> map -> {
                out.put(MAP);
                Bytes.putVarint(out, map.size());
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    Bytes.putString(out, (String) entry.getKey());
                    encode(entry.getValue(), out);
                }
            }
            case NoValue none -> out.put(NONE);
            default -> throw new IllegalStateException("a header that is a " + value.getClass() + " was not checked");
        }
    }

    static Object decode(ByteBuffer in) {
        byte type = in.get();
        return switch (type) {
            case STRING -> Bytes.getString(in);
            case LONG -> in.getLong();
            case DOUBLE -> in.getDouble();
            case BOOLEAN -> in.get() != 0;
            case BYTES -> Bytes.getBytes(in);
            case BYTE -> in.get();
            case SHORT -> in.getShort();
            case INTEGER -> in.getInt();
            case FLOAT -> in.getFloat();
            case DECIMAL -> {
                int scale = (int) Bytes.getSigned(in);
                yield new BigDecimal(new BigInteger(Bytes.getBytes(in)), scale);
            }
            case INSTANT -> {
                long seconds = in.getLong();
                yield Instant.ofEpochSecond(seconds, Bytes.getVarint(in));
            }
            case LIST -> {
                List<Object> list = new ArrayList<>();
                for (long count = Bytes.getVarint(in); count > 0; count--) {
                    list.add(decode(in));
                }
                yield Collections.unmodifiableList(list);
            }
            case MAP -> {
                Map<String, Object> map = new LinkedHashMap<>();
                for (long count = Bytes.getVarint(in); count > 0; count--) {
                    String name = Bytes.getString(in);
                    map.put(name, decode(in));
                }
                yield Collections.unmodifiableMap(map);
            }
            case NONE -> NoValue.NONE;
            default -> throw new IllegalStateException("header type " + type + " in a message record");
        };
    }

    // ── As others see them ───────────────────────────────────────────────────────────────────────────────────────────

    /** The value as rules see it: whole numbers of any width alike, a moment as milliseconds since 1970. */
    static @Nullable Object field(@Nullable Object value) {
        return switch (value) {
            case String text -> text;
            case Long number -> number;
            case Byte number -> number.longValue();
            case Short number -> number.longValue();
            case Integer number -> number.longValue();
            case Float number -> number.doubleValue();
            case Instant instant -> millis(instant);
            case NoValue none -> null;
            case null, default -> value;
        };
    }

    private static @Nullable Long millis(Instant instant) {
        try {
            return instant.toEpochMilli();
        } catch (ArithmeticException e) {
            // Hundreds of millions of years away.
            return null;
        }
    }

    /**
     * A value as text, for those who know headers as text only: a string as it is, bytes as the UTF-8 they are or else in
     * Base64, a moment in ISO 8601, lists and maps as JSON.
     */
    public static String text(Object value) {
        return switch (value) {
            case String text -> text;
            case byte[] bytes -> text(bytes);
            case List<?> list -> json(list);
            case Map<?, ?> map -> json(map);
            default -> value.toString();
        };
    }

    private static String json(Object nested) {
        StringBuilder out = new StringBuilder();
        json(nested, out);
        return out.toString();
    }

    private static void json(Object value, StringBuilder out) {
        switch (value) {
            case List<?> list -> {
                String separator = "[";
                for (Object element : list) {
                    out.append(separator);
                    json(element, out);
                    separator = ",";
                }
                out.append(list.isEmpty() ? "[]" : "]");
            }
            case Map<?, ?> map -> {
                String separator = "{";
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    out.append(separator);
                    quote(String.valueOf(entry.getKey()), out);
                    out.append(':');
                    json(entry.getValue(), out);
                    separator = ",";
                }
                out.append(map.isEmpty() ? "{}" : "}");
            }
            case Boolean flag -> out.append(flag.booleanValue());
            case NoValue none -> out.append(none);
            case Double number when !Double.isFinite(number) -> quote(number.toString(), out);
            case Float number when !Float.isFinite(number) -> quote(number.toString(), out);
            case Number number -> out.append(number);
            default -> quote(text(value), out);
        }
    }

    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append("\\u00").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    private static String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return Base64.getEncoder().encodeToString(bytes);
        }
    }
}
