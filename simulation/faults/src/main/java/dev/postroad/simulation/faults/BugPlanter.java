package dev.postroad.simulation.faults;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Compiles the real sources with a bug in them, into a folder that a JVM gets before its class path. The sources lie beside
 * the classes of this module, as they were when it was built.
 */
final class BugPlanter implements AutoCloseable {
    private static final List<String> ANNOTATIONS = List.of("Nullable", "NonNull", "NullMarked", "NullUnmarked");

    private final JavaCompiler compiler;
    private final StandardJavaFileManager files;

    /** @throws IllegalStateException if this is a JVM without a compiler */
    BugPlanter() {
        JavaCompiler found = ToolProvider.getSystemJavaCompiler();
        if (found == null) {
            throw new IllegalStateException("There is no compiler in this Java runtime: run it with a JDK");
        }
        compiler = found;
        files = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8);
    }

    /** A source in memory. */
    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String path, String text) {
            super(URI.create("string:///" + path), JavaFileObject.Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }

    /** The source as it is. */
    static String source(PlantedBug bug) throws IOException {
        try (InputStream in = BugPlanter.class.getResourceAsStream("/sources/" + bug.path())) {
            if (in == null) {
                throw new IllegalStateException("The planted bug '" + bug.name()
                        + "' is of a file that is not there any" + " more: " + bug.file());
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /**
     * Compiles the bug.
     *
     * @throws IllegalStateException if its snippet does not fit any more, or it does not compile
     */
    void plant(PlantedBug bug, Path folder) throws IOException {
        plant(List.of(bug), folder);
    }

    /** Compiles several, each of another file, together: that costs little more than one alone. */
    void plant(List<PlantedBug> bugs, Path folder) throws IOException {
        List<JavaFileObject> sources = new ArrayList<>();
        for (PlantedBug bug : bugs) {
            sources.add(new Source(bug.path(), bug.plant(source(bug))));
        }
        Files.createDirectories(folder);
        for (String name : ANNOTATIONS) {
            // What marks nullness has no meaning at run time and need not be on the class path.
            String target = name.startsWith("Null") && !name.equals("Nullable")
                    ? ""
                    : "@java.lang.annotation.Target(java.lang.annotation.ElementType.TYPE_USE) ";
            sources.add(new Source(
                    "org/jspecify/annotations/" + name + ".java",
                    "package org.jspecify.annotations; " + target + "public @interface " + name + " {}"));
        }
        StringWriter messages = new StringWriter();
        List<String> options = List.of(
                "--release",
                "21",
                "-proc:none",
                "-nowarn",
                "-implicit:none",
                "-d",
                folder.toString(),
                "-cp",
                System.getProperty("java.class.path"));
        if (!compiler.getTask(messages, files, null, options, null, sources).call()) {
            String names = bugs.stream().map(PlantedBug::name).collect(Collectors.joining(", "));
            throw new IllegalStateException("The planted bug '" + names + "' does not compile:\n" + messages);
        }
    }

    @Override
    public void close() throws IOException {
        files.close();
    }
}
