package dev.postroad.cli;

import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** {@code --format}, the same for every listing. */
final class FormatOption {
    @Option(
            scope = ScopeType.INHERIT,
            names = "--format",
            paramLabel = "FORMAT",
            description = "text, or json: one document. Default: text.")
    private OutputFormat format = OutputFormat.TEXT;

    boolean json() {
        return format == OutputFormat.JSON;
    }
}
