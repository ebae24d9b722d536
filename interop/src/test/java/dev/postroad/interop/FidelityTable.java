package dev.postroad.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What becomes of each property of a message on its way from one protocol to another, as tests saw it, and the document that
 * says so. A protocol to come adds a section for what its own publishers can say, and a column to the others.
 */
final class FidelityTable {
    private static final Path DOCUMENT =
            Path.of(System.getProperty("basedir", "")).resolve("../docs/fidelity.md");
    private static final String REGENERATE =
            "./postroad test -pl interop -am -Dtest=none -Dit.test=FidelityIT -Dpostroad.write \\\n   "
                    + " -Dsurefire.failIfNoSpecifiedTests=false -Dfailsafe.failIfNoSpecifiedTests=false";
    private static final String HEAD = """
            # Fidelity

            A message may be published by one protocol and read by another. These tables say what becomes of each thing that a
            publisher can say, as the tests of this build saw it: each was published alone, and looked for at the other end.
            This page is written by them, and the build fails when it is stale. To write it anew:

            ```
            %s
            ```

            *kept* stands for the same thing under its own name; another name says where its value is found.
            """.formatted(REGENERATE);

    private final Map<String, Map<String, Map<String, String>>> sections = new LinkedHashMap<>();

    /**
     * @param section what is published
     * @param row the property
     * @param column who reads
     * @param cell what becomes of it
     */
    void put(String section, String row, String column, String cell) {
        sections.computeIfAbsent(section, absent -> new LinkedHashMap<>())
                .computeIfAbsent(row, absent -> new LinkedHashMap<>())
                .put(column, cell);
    }

    private String markdown() {
        StringBuilder text = new StringBuilder(HEAD);
        sections.forEach((section, rows) -> {
            Set<String> columns = new LinkedHashSet<>();
            rows.values().forEach(cells -> columns.addAll(cells.keySet()));
            text.append("\n## ").append(section).append("\n\n");
            List<String> head = new ArrayList<>(List.of("property"));
            head.addAll(columns);
            text.append("| ").append(String.join(" | ", head)).append(" |\n");
            text.append("|---".repeat(head.size())).append("|\n");
            rows.forEach((row, cells) -> {
                text.append("| ").append(row);
                columns.forEach(column -> text.append(" | ").append(cells.getOrDefault(column, "")));
                text.append(" |\n");
            });
        });
        return text.toString();
    }

    /** Writes the document if this run was asked to, else holds it to what was seen. */
    void check() throws IOException {
        if (System.getProperty("postroad.write") != null) {
            Files.writeString(DOCUMENT, markdown());
        }
        assertThat(Files.exists(DOCUMENT) ? Files.readString(DOCUMENT) : "")
                .as("docs/fidelity.md is stale; " + REGENERATE)
                .isEqualTo(markdown());
    }
}
