package dev.postroad.patterns.deadletters;

import dev.postroad.api.DeadLetter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which dead letters are meant: those that everything fits which is not null.
 *
 * @param rule over headers, properties and payload, in the broker's rule language; the broker applies it
 * @param reason a part of the reason, in any case
 * @param exception class of the exception, with its package or without
 * @param cause what led to it
 * @param origin channel where it was given up
 * @param group by which group of a stream
 * @param key the message's key, as UTF-8
 * @param id the message's id
 * @param from given up at this time or later
 * @param to given up before this time
 */
public record LetterFilter(
        @Nullable String rule,
        @Nullable String reason,
        @Nullable String exception,
        DeadLetter.@Nullable Cause cause,
        @Nullable String origin,
        @Nullable String group,
        @Nullable String key,
        @Nullable String id,
        @Nullable Instant from,
        @Nullable Instant to) {

    /** All of them. */
    public static final LetterFilter ALL = new LetterFilter(null, null, null, null, null, null, null, null, null, null);

    /** This filter with a rule that the broker applies. */
    public LetterFilter withRule(@Nullable String newRule) {
        return new LetterFilter(newRule, reason, exception, cause, origin, group, key, id, from, to);
    }

    /** This filter with a part of the reason. */
    public LetterFilter withReason(@Nullable String newReason) {
        return new LetterFilter(rule, newReason, exception, cause, origin, group, key, id, from, to);
    }

    /** This filter with the class of an exception, with its package or without. */
    public LetterFilter withException(@Nullable String newException) {
        return new LetterFilter(rule, reason, newException, cause, origin, group, key, id, from, to);
    }

    /** This filter with a cause. */
    public LetterFilter withCause(DeadLetter.@Nullable Cause newCause) {
        return new LetterFilter(rule, reason, exception, newCause, origin, group, key, id, from, to);
    }

    /** This filter with the channel where it was given up. */
    public LetterFilter withOrigin(@Nullable String newOrigin) {
        return new LetterFilter(rule, reason, exception, cause, newOrigin, group, key, id, from, to);
    }

    /** This filter with the group of a stream that gave it up. */
    public LetterFilter withGroup(@Nullable String newGroup) {
        return new LetterFilter(rule, reason, exception, cause, origin, newGroup, key, id, from, to);
    }

    /** This filter with a key. */
    public LetterFilter withKey(@Nullable String newKey) {
        return new LetterFilter(rule, reason, exception, cause, origin, group, newKey, id, from, to);
    }

    /** This filter with a message's id. */
    public LetterFilter withId(@Nullable String newId) {
        return new LetterFilter(rule, reason, exception, cause, origin, group, key, newId, from, to);
    }

    /** This filter with a time of giving up: this or later. */
    public LetterFilter withFrom(@Nullable Instant newFrom) {
        return new LetterFilter(rule, reason, exception, cause, origin, group, key, id, newFrom, to);
    }

    /** This filter with a time of giving up: before this. */
    public LetterFilter withTo(@Nullable Instant newTo) {
        return new LetterFilter(rule, reason, exception, cause, origin, group, key, id, from, newTo);
    }

    /** Whether a letter that the broker found by the rule fits all else. */
    boolean fits(Letter letter) {
        DeadLetter told = letter.told();
        byte[] itsKey = letter.message().key();
        return (reason == null || told.reason().toLowerCase(Locale.ROOT).contains(reason.toLowerCase(Locale.ROOT)))
                && (exception == null || isOf(told.exception(), exception))
                && (cause == null || cause == told.cause())
                && (origin == null || origin.equals(told.origin()))
                && (group == null || group.equals(told.group()))
                && (key == null || itsKey != null && Arrays.equals(key.getBytes(StandardCharsets.UTF_8), itsKey))
                && (id == null || id.equals(letter.message().id()))
                && (from == null || !told.time().isBefore(from))
                && (to == null || told.time().isBefore(to));
    }

    private static boolean isOf(@Nullable String told, String wanted) {
        return told != null && (told.equals(wanted) || told.endsWith("." + wanted) || told.endsWith("$" + wanted));
    }

    /** What is not null, by name, for the ledger. */
    Map<String, String> toMap() {
        Map<String, String> map = new LinkedHashMap<>();
        put(map, "rule", rule);
        put(map, "reason", reason);
        put(map, "exception", exception);
        put(map, "cause", cause == null ? null : cause.name());
        put(map, "origin", origin);
        put(map, "group", group);
        put(map, "key", key);
        put(map, "id", id);
        put(map, "from", from == null ? null : from.toString());
        put(map, "to", to == null ? null : to.toString());
        return map;
    }

    private static void put(Map<String, String> map, String name, @Nullable String value) {
        if (value != null) {
            map.put(name, value);
        }
    }

    static LetterFilter of(Map<String, String> map) {
        String cause = map.get("cause");
        String from = map.get("from");
        String to = map.get("to");
        return new LetterFilter(
                map.get("rule"),
                map.get("reason"),
                map.get("exception"),
                cause == null ? null : DeadLetter.Cause.valueOf(cause),
                map.get("origin"),
                map.get("group"),
                map.get("key"),
                map.get("id"),
                from == null ? null : Instant.parse(from),
                to == null ? null : Instant.parse(to));
    }
}
