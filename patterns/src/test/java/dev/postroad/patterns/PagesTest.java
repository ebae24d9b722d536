package dev.postroad.patterns;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.RedisServer;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The pages on patterns: each piece of Java in them is compiled and run as it stands there. */
class PagesTest {
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```java\n(.*?)^```$");

    private static final String USUAL_REDIS = "redis://127.0.0.1:6379";

    @TempDir
    Path folder;

    static Stream<Path> pages() throws IOException {
        try (Stream<Path> pages =
                Files.list(Path.of(System.getProperty("basedir", "")).resolve("../docs/patterns"))) {
            return pages.filter(page -> !page.endsWith("README.md")).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("pages")
    void what_a_page_shows_compiles_and_runs(Path page) throws Throwable {
        List<String> blocks = BLOCK.matcher(Files.readString(page))
                .results()
                .map(block -> block.group(1))
                .toList();
        assertThat(blocks).isNotEmpty();
        for (int i = 0; i < blocks.size(); i++) {
            String block = blocks.get(i);
            if (block.contains(USUAL_REDIS)) {
                try (RedisServer redis = RedisServer.start(folder)) {
                    run("Snippet" + i, block.replace(USUAL_REDIS, "redis://127.0.0.1:" + redis.port()));
                }
            } else {
                run("Snippet" + i, block);
            }
        }
    }

    private void run(String name, String block) throws Throwable {
        String imports =
                block.lines().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n"));
        String body = block.lines().filter(line -> !line.startsWith("import ")).collect(Collectors.joining("\n"));
        Path source = folder.resolve(name + ".java");
        Files.writeString(
                source,
                imports + "\npublic class " + name + " { public static void run() throws Exception {\n" + body
                        + "\n}}\n");
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(
                            messages,
                            files,
                            null,
                            List.of("-d", folder.toString(), "-cp", System.getProperty("java.class.path")),
                            null,
                            files.getJavaFileObjects(source))
                    .call();
            assertThat(compiled).as(messages.toString()).isTrue();
        }
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
            MethodHandle snippet =
                    MethodHandles.lookup().findStatic(loader.loadClass(name), "run", MethodType.methodType(void.class));
            snippet.invoke();
        }
    }
}
