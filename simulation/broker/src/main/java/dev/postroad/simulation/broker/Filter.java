package dev.postroad.simulation.broker;

import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.routing.Rule;
import java.util.function.Predicate;

/** A rule, and what it means in plain Java. */
record Filter(String text, Rule rule, Predicate<EngineMessage> meaning) {
    private static final Filter[] ALL = {
        of("colour = 'red'", m -> "red".equals(colour(m))),
        of("n > 4", m -> n(m) > 4),
        of("colour = 'blue' OR n < 3", m -> "blue".equals(colour(m)) || (n(m) >= 0 && n(m) < 3)),
        of("colour IS NOT NULL", m -> colour(m) != null),
        of(
                "n BETWEEN 2 AND 6 AND colour <> 'red'",
                m -> n(m) >= 2 && n(m) <= 6 && colour(m) != null && !"red".equals(colour(m))),
        of("colour LIKE '%e%'", m -> String.valueOf(colour(m)).contains("e")),
    };

    static final int COUNT = ALL.length;

    static Filter number(int n) {
        return ALL[n];
    }

    private static Filter of(String text, Predicate<EngineMessage> meaning) {
        return new Filter(text, Rule.parse(text), meaning);
    }

    private static @org.jspecify.annotations.Nullable Object colour(EngineMessage message) {
        return message.headers().get("colour");
    }

    private static long n(EngineMessage message) {
        return message.headers().get("n") instanceof Long n ? n : -1;
    }

    boolean takes(EngineMessage message) {
        return meaning.test(message);
    }
}
