package dev.postroad.engine.routing;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A regular expression that is matched in time proportional to the text, whatever the two are.
 *
 * <p>The pattern is laid out as instructions of a nondeterministic automaton (Thompson, 1968). A match reads the text
 * once and carries the set of instructions it could be at, each at most once, so that a character costs at most one
 * visit of each instruction; there is nothing to go back to. This is also why backreferences and lookaround are not
 * offered: they cannot be had at that price. There is one answer, yes or no; groups only group, and lazy quantifiers
 * mean the same as greedy ones.
 *
 * <p>Repetition by count is laid out as copies, so its price shows in {@link #states}.
 */
final class Regex {
    /** The characters (UTF-16 units) of a text that are read before a match is given up as {@link Truth#UNKNOWN}. */
    static final int MAX_TEXT = 65_536;

    private static final int MATCH = 0;
    private static final int ONE = 1;
    private static final int AT = 2;
    private static final int FORK = 3;

    private final int[] operations;
    // ONE, AT: the next instruction. FORK: both ways on.
    private final int[] next;
    private final int[] other;
    private final CharacterSet[] sets;
    private final RegexTree.Place[] places;

    private final int start;

    private Regex(Layout layout, int start) {
        this.start = start;
        int size = layout.size;
        this.operations = Arrays.copyOf(layout.operations, size);
        this.next = Arrays.copyOf(layout.next, size);
        this.other = Arrays.copyOf(layout.other, size);
        this.sets = Arrays.copyOf(layout.sets, size);
        this.places = Arrays.copyOf(layout.places, size);
    }

    /**
     * Reads a pattern in the syntax of Python's {@code re}.
     *
     * @param maxStates the most instructions it may take
     */
    static Regex parse(String pattern, int maxStates) throws PatternProblem {
        return of(new RegexParser(pattern).parse(), maxStates);
    }

    static Regex of(RegexTree tree, int maxStates) throws PatternProblem {
        Layout layout = new Layout(maxStates);
        int match = layout.emit(MATCH);
        int start = layout.before(tree, match);
        return new Regex(layout, start);
    }

    /** How many instructions the pattern takes, which is what a character of text costs at most. */
    int states() {
        return operations.length;
    }

    /**
     * Whether some beginning of the text, be it empty, matches the pattern.
     *
     * @return {@link Truth#UNKNOWN} if that is still open after {@link #MAX_TEXT} characters
     */
    Truth matchesStartOf(String text) {
        return new Run(text).decide();
    }

    /** One match of one text. */
    final class Run {
        private final String text;
        private final int[] seenAt = new int[operations.length];
        private final int[] open = new int[operations.length];
        private int[] current = new int[operations.length];
        private int[] following = new int[operations.length];
        private int followingSize;
        private long steps;

        Run(String text) {
            this.text = text;
            Arrays.fill(seenAt, -1);
        }

        Truth decide() {
            if (reach(start, 0)) {
                return Truth.TRUE;
            }
            int at = 0;
            while (followingSize > 0 && at < text.length()) {
                if (at >= MAX_TEXT) {
                    return Truth.UNKNOWN;
                }
                int[] swap = current;
                current = following;
                int size = followingSize;
                following = swap;
                followingSize = 0;
                int c = text.codePointAt(at);
                at += Character.charCount(c);
                for (int i = 0; i < size; i++) {
                    int instruction = current[i];
                    if (sets[instruction].contains(c) && reach(next[instruction], at)) {
                        return Truth.TRUE;
                    }
                }
            }
            return Truth.FALSE;
        }

        /** Goes on to every instruction that can be reached without reading; returns whether one is the match. */
        private boolean reach(int first, int at) {
            int waiting = 0;
            int instruction = first;
            while (true) {
                steps++;
                boolean goesOn = false;
                if (seenAt[instruction] != at) {
                    seenAt[instruction] = at;
                    switch (operations[instruction]) {
                        case MATCH -> {
                            return true;
                        }
                        case ONE -> following[followingSize++] = instruction;
                        case AT -> goesOn = places[instruction].holds(text, at);
                        default -> {
                            open[waiting++] = other[instruction];
                            goesOn = true;
                        }
                    }
                }
                if (goesOn) {
                    instruction = next[instruction];
                } else if (waiting > 0) {
                    instruction = open[--waiting];
                } else {
                    return false;
                }
            }
        }

        /** How many instructions were visited. */
        long steps() {
            return steps;
        }
    }

    /** Lays a tree out as instructions, each part after what follows it is known. */
    private static final class Layout {
        private final int maxStates;
        private int[] operations = new int[16];
        private int[] next = new int[16];
        private int[] other = new int[16];
        private CharacterSet[] sets = new CharacterSet[16];
        private RegexTree.Place[] places = new RegexTree.Place[16];
        private int size;
        // Copies of what lays out nothing, such as ((){1000}){1000}, cost time all the same.
        private int visits;

        Layout(int maxStates) {
            this.maxStates = maxStates;
        }

        int emit(int operation) throws PatternProblem {
            if (size >= maxStates) {
                throw tooLarge();
            }
            if (size == operations.length) {
                int more = size * 2;
                operations = Arrays.copyOf(operations, more);
                next = Arrays.copyOf(next, more);
                other = Arrays.copyOf(other, more);
                sets = Arrays.copyOf(sets, more);
                places = Arrays.copyOf(places, more);
            }
            operations[size] = operation;
            return size++;
        }

        private PatternProblem tooLarge() {
            return new PatternProblem(
                    String.format(
                            Locale.ROOT,
                            "the pattern takes more than the %,d states left to this rule; repetition by count is what"
                                    + " costs most",
                            maxStates),
                    0);
        }

        /** Lays out a tree that goes on at the given instruction; returns where it begins. */
        int before(RegexTree tree, int then) throws PatternProblem {
            if (++visits > 20 * maxStates) {
                throw tooLarge();
            }
            return switch (tree) {
                case RegexTree.One one -> {
                    int instruction = emit(ONE);
                    sets[instruction] = one.set();
                    next[instruction] = then;
                    yield instruction;
                }
                case RegexTree.At at -> {
                    int instruction = emit(AT);
                    places[instruction] = at.place();
                    next[instruction] = then;
                    yield instruction;
                }
                case RegexTree.Sequence sequence -> {
                    int first = then;
                    List<RegexTree> parts = sequence.parts();
                    for (int i = parts.size() - 1; i >= 0; i--) {
                        first = before(parts.get(i), first);
                    }
                    yield first;
                }
                case RegexTree.Choice choice -> {
                    List<Integer> ways = new ArrayList<>();
                    for (RegexTree way : choice.ways()) {
                        ways.add(before(way, then));
                    }
                    int first = ways.get(ways.size() - 1);
                    for (int i = ways.size() - 2; i >= 0; i--) {
                        first = fork(ways.get(i), first);
                    }
                    yield first;
                }
                case RegexTree.Repeat repeat -> repeat(repeat, then);
            };
        }

        private int repeat(RegexTree.Repeat repeat, int then) throws PatternProblem {
            int first = then;
            int copies = repeat.least();
            if (repeat.most() == RegexTree.FOREVER) {
                int loop = fork(then, then);
                // Not assigned at once: laying out the part may move the arrays.
                int body = before(repeat.part(), loop);
                next[loop] = body;
                // x+ is x and then a choice to do it again: the loop's own copy is the last of the wanted ones.
                first = copies > 0 ? body : loop;
                copies = Math.max(0, copies - 1);
            } else {
                for (int i = repeat.least(); i < repeat.most(); i++) {
                    first = fork(before(repeat.part(), first), then);
                }
            }
            for (int i = 0; i < copies; i++) {
                first = before(repeat.part(), first);
            }
            return first;
        }

        private int fork(int one, int another) throws PatternProblem {
            int instruction = emit(FORK);
            next[instruction] = one;
            other[instruction] = another;
            return instruction;
        }
    }
}
