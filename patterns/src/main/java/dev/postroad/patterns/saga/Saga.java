package dev.postroad.patterns.saga;

import dev.postroad.api.Serde;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a saga consists of.
 *
 * <pre>{@code
 *   Saga<Order> checkout = Saga.of("checkout", Serdes.json(Order.class))
 *           .withStep(Step.of("pay", "payments", format, order -> Message.of(order.id(), "charge"))
 *                   .withCompensation("payments", format, order -> Message.of(order.id(), "refund")))
 *           .withStep(Step.of("ship", "shipping", format, order -> Message.of(order.id(), "ship")));
 * }</pre>
 *
 * @param name of the saga, and of the channel its answers come to: 1 to 100 characters
 * @param data how its data is stored
 * @param steps in order, at most 1,000, each with another name
 * @param <S> type of its data
 */
public record Saga<S>(String name, Serde<S> data, List<Step<S>> steps) {

    /** @throws IllegalArgumentException naming what is out of its bounds */
    public Saga {
        if (name.isEmpty() || name.length() > 100) {
            throw new IllegalArgumentException("name is '" + name + "'; it must be 1 to 100 characters long");
        }
        steps = List.copyOf(steps);
        if (steps.size() > 1_000) {
            throw new IllegalArgumentException("saga " + name + " has " + steps.size() + " steps; it may have 1,000");
        }
        Set<String> names = new HashSet<>();
        for (Step<S> step : steps) {
            if (!names.add(step.name())) {
                throw new IllegalArgumentException("saga " + name + " has two steps '" + step.name() + "'");
            }
        }
    }

    /** A saga without steps so far. */
    public static <S> Saga<S> of(String name, Serde<S> data) {
        return new Saga<>(name, data, List.of());
    }

    /** This saga with one step more. */
    public Saga<S> withStep(Step<S> step) {
        List<Step<S>> more = new ArrayList<>(steps);
        more.add(step);
        return new Saga<>(name, data, more);
    }
}
