package dev.postroad.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** docs/guarantees.md names what holds each promise: it must be there. */
class GuaranteesTest {
    private static final Path ROOT =
            Path.of(System.getProperty("basedir", "")).toAbsolutePath().getParent();

    @Test
    void everyTestThatThePageNamesExists() throws IOException {
        Set<String> named = found("`([A-Z][A-Za-z0-9]*(?:Test|IT|Checks))`");
        Set<String> missing = new TreeSet<>(named);
        missing.removeAll(testsOfTheTree());

        assertThat(named).hasSizeGreaterThan(20);
        assertThat(missing).isEmpty();
    }

    @Test
    void everyPromiseIsThereAndHeldBySomething() throws IOException {
        String page = page();
        for (int i = 1; i <= 10; i++) {
            int begin = page.indexOf("### P" + i + " ");
            assertThat(begin).as("P" + i).isPositive();
            int end = page.indexOf("\n#", begin + 1);
            assertThat(page.substring(begin, end)).contains("*Held by:*");
        }
    }

    @Test
    void everyChapterOfScaleIsOnThePage() throws IOException {
        assertThat(Experiments.all().stream().map(Chapter::name).filter(name -> name.startsWith("scale-")))
                .isSubsetOf(found("`(scale-[a-z-]+)`"));
    }

    private static String page() throws IOException {
        return Files.readString(ROOT.resolve("docs/guarantees.md"));
    }

    private static Set<String> found(String pattern) throws IOException {
        Set<String> found = new TreeSet<>();
        Matcher matcher = Pattern.compile(pattern).matcher(page());
        while (matcher.find()) {
            found.add(matcher.group(1));
        }
        return found;
    }

    private static Set<String> testsOfTheTree() throws IOException {
        Set<String> names = new TreeSet<>();
        Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                String name = folder.getFileName().toString();
                return Set.of("target", ".git", "node_modules", "resources").contains(name)
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                String name = file.getFileName().toString();
                if (name.endsWith(".java")) {
                    names.add(name.substring(0, name.length() - ".java".length()));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return names;
    }
}
