package dev.postroad.architecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.Location;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The modules of the build, and their classes as this test's class path has them. */
final class Reactor {
    private static final Pattern MODULE = Pattern.compile("<module>\\s*([^<]+?)\\s*</module>");

    private final Path here;
    private final Path root;

    private Reactor(Path here) {
        this.here = here;
        this.root = here.getParent();
    }

    /** The build this test is part of. */
    static Reactor ofThisBuild() {
        Path here = Path.of(System.getProperty("basedir", "")).toAbsolutePath().normalize();
        return new Reactor(here);
    }

    /** The folders of all modules, those of modules within modules included. */
    List<Path> modules() {
        List<Path> modules = new ArrayList<>();
        addModulesOf(root, modules);
        return modules;
    }

    private static void addModulesOf(Path folder, List<Path> modules) {
        var matcher = MODULE.matcher(read(folder.resolve("pom.xml")));
        while (matcher.find()) {
            Path module = folder.resolve(matcher.group(1)).normalize();
            modules.add(module);
            addModulesOf(module, modules);
        }
    }

    /** The names of all classes in the main sources of all modules; of each file the one it is named for. */
    Set<String> mainClasses() {
        Set<String> names = new TreeSet<>();
        for (Path module : modules()) {
            Path sources = module.resolve("src/main/java");
            for (Path file : javaFiles(sources)) {
                String name = sources.relativize(file).toString().replace(File.separatorChar, '.');
                if (!name.endsWith("-info.java")) {
                    names.add(name.substring(0, name.length() - ".java".length()));
                }
            }
        }
        return names;
    }

    /** The compiled main code of all modules, from where the class path of this test has it: folders or jars. */
    JavaClasses mainCode() {
        List<Path> targets =
                modules().stream().map(module -> module.resolve("target")).toList();
        List<Location> locations = Stream.of(
                        System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().normalize())
                .filter(entry -> !entry.startsWith(here) && targets.stream().anyMatch(entry::startsWith))
                .map(entry -> entry.toString().endsWith(".jar")
                        ? Location.of(URI.create("jar:" + entry.toUri() + "!/"))
                        : Location.of(entry))
                .toList();
        return new ClassFileImporter().importLocations(locations);
    }

    /** All test sources of all modules. */
    List<Path> testSources() {
        return modules().stream()
                .flatMap(module -> javaFiles(module.resolve("src/test/java")).stream())
                .toList();
    }

    String nameOf(Path path) {
        return root.relativize(path).toString();
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> javaFiles(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
