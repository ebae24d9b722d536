package dev.postroad.simulation.broker;

import dev.postroad.engine.Command;
import java.util.function.Supplier;

/**
 * A command on its way.
 *
 * @param text for people
 * @param judge compares the answer with what the model expects, and lets the model follow
 * @param looks true if it is the checker's own, and no operation of the workload
 */
record Act(Supplier<String> text, Command command, Answer<?> answer, Runnable judge, boolean looks) {
    Act(Supplier<String> text, Command command, Answer<?> answer, Runnable judge) {
        this(text, command, answer, judge, false);
    }
}
