package dev.postroad.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code version} */
@Command(
        name = "version",
        header = "Tell the version.",
        footer = {"", "Example: postroad version"})
final class VersionCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        Terminal.out()
                .println("postroad " + version() + " (Java " + Runtime.version() + ", " + System.getProperty("os.name")
                        + " " + System.getProperty("os.arch") + ")");
        return ExitCode.OK;
    }

    static String version() {
        Properties properties = new Properties();
        try (InputStream in = VersionCommand.class.getResourceAsStream("version.properties")) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("version", "of an unknown version");
    }
}
