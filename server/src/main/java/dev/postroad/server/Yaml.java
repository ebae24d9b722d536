package dev.postroad.server;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.resolver.CoreScalarResolver;
import org.snakeyaml.engine.v2.resolver.ScalarResolver;

/** A YAML text as a tree of values that know where they stand; {@code ${NAME}} stands for a variable of the environment. */
final class Yaml {
    private static final int MAX_CHARACTERS = 4 * 1024 * 1024;
    private static final int MAX_DEPTH = 16;
    private static final int MAX_NODES = 200_000;
    private static final Pattern VARIABLE = Pattern.compile("\\$(\\$)?\\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?}");

    /** Made once: each would make its own table of patterns. They are not changed by use. */
    private static final LoadSettings SETTINGS = LoadSettings.builder()
            .setCodePointLimit(MAX_CHARACTERS)
            .setMaxAliasesForCollections(50)
            .build();

    private static final ScalarResolver RESOLVER = new CoreScalarResolver(false);

    private final String file;
    private final Map<String, String> environment;
    private final List<String> problems;
    private int nodes;

    private Yaml(String file, Map<String, String> environment, List<String> problems) {
        this.file = file;
        this.environment = environment;
        this.problems = problems;
    }

    /** Where a value stands, from 1. */
    record Place(String file, int line, int column) {
        @Override
        public String toString() {
            return file + ":" + line + ":" + column;
        }
    }

    /**
     * A value: text, whole number, other number, boolean or null; a list of {@link Item}; a map of {@link Entry} by key.
     */
    record Item(Place place, @Nullable Object value) {}

    /** A key and its value. */
    record Entry(Place place, Item item) {}

    /** @return null if the text is empty, or could not be read, which is among the problems then */
    static @Nullable Item read(String file, String text, Map<String, String> environment, List<String> problems) {
        Yaml yaml = new Yaml(file, environment, problems);
        try {
            Optional<Node> root = new Compose(SETTINGS).composeString(text);
            return root.isEmpty() ? null : yaml.item(root.get(), 0);
        } catch (MarkedYamlEngineException e) {
            Mark mark = e.getProblemMark().or(e::getContextMark).orElse(null);
            Place place =
                    mark == null ? new Place(file, 1, 1) : new Place(file, mark.getLine() + 1, mark.getColumn() + 1);
            problems.add(place + ": no valid YAML: " + e.getProblem());
        } catch (YamlEngineException e) {
            problems.add(file + ":1:1: no valid YAML: " + e.getMessage());
        }
        return null;
    }

    private Place place(Node node) {
        return node.getStartMark()
                .map(mark -> new Place(file, mark.getLine() + 1, mark.getColumn() + 1))
                .orElse(new Place(file, 1, 1));
    }

    private Item item(Node node, int depth) {
        Place place = place(node);
        if (depth > MAX_DEPTH || ++nodes > MAX_NODES) {
            throw new YamlEngineException("at line " + place.line + " it is nested more than " + MAX_DEPTH
                    + " deep, or has more than " + MAX_NODES + " values");
        }
        return switch (node) {
            case ScalarNode scalar -> new Item(place, scalar(scalar, place));
            case SequenceNode sequence -> {
                List<Item> items = new ArrayList<>();
                for (Node element : sequence.getValue()) {
                    items.add(item(element, depth + 1));
                }
                yield new Item(place, items);
            }
            case MappingNode mapping -> {
                Map<String, Entry> entries = new LinkedHashMap<>();
                for (NodeTuple tuple : mapping.getValue()) {
                    Place keyPlace = place(tuple.getKeyNode());
                    if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
                        problems.add(keyPlace + ": a key must be a plain text");
                        continue;
                    }
                    Entry entry = new Entry(keyPlace, item(tuple.getValueNode(), depth + 1));
                    if (entries.put(key.getValue(), entry) != null) {
                        problems.add(keyPlace + ": '" + key.getValue() + "' is given twice");
                    }
                }
                yield new Item(place, entries);
            }
            default -> throw new YamlEngineException("a node of an unknown kind at line " + place.line);
        };
    }

    private @Nullable Object scalar(ScalarNode scalar, Place place) {
        String text = substitute(scalar.getValue(), place);
        // What stands for a variable and nothing else has the type that its value looks like, quoted or not.
        boolean plain = scalar.getScalarStyle() == ScalarStyle.PLAIN
                || VARIABLE.matcher(scalar.getValue()).matches();
        Tag tag = plain ? RESOLVER.resolve(text, true) : scalar.getTag();
        if (tag.equals(Tag.NULL)) {
            return null;
        }
        if (tag.equals(Tag.BOOL)) {
            return Boolean.parseBoolean(text);
        }
        try {
            if (tag.equals(Tag.INT)) {
                return text.startsWith("0x")
                        ? Long.parseLong(text.substring(2), 16)
                        : Long.parseLong(text.replace("+", ""));
            }
            if (tag.equals(Tag.FLOAT)) {
                return Double.parseDouble(text);
            }
        } catch (NumberFormatException e) {
            return text;
        }
        return text;
    }

    private String substitute(String text, Place place) {
        if (text.indexOf('$') < 0) {
            return text;
        }
        Matcher variable = VARIABLE.matcher(text);
        StringBuilder result = new StringBuilder();
        while (variable.find()) {
            String replacement;
            if (variable.group(1) != null) {
                replacement = variable.group().substring(1);
            } else {
                String value = environment.get(variable.group(2));
                if (value == null) {
                    value = variable.group(3);
                }
                if (value == null) {
                    problems.add(place + ": the environment has no variable " + variable.group(2)
                            + "; set it, or write ${" + variable.group(2) + ":-DEFAULT}");
                    value = "";
                }
                replacement = value;
            }
            variable.appendReplacement(result, Matcher.quoteReplacement(replacement));
        }
        variable.appendTail(result);
        return result.toString();
    }
}
