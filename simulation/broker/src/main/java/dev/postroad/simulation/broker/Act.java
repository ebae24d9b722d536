package dev.postroad.simulation.broker;

import dev.postroad.engine.Command;
import java.util.function.Supplier;

/**
 * A command on its way.
 *
 * @param text for people
 * @param judge compares the answer with what the model expects, and lets the model follow
 */
record Act(Supplier<String> text, Command command, Answer<?> answer, Runnable judge) {}
