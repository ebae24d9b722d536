package dev.postroad.architecture;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A part of Postroad, named by the package it owns, and the parts it may know. Names leave out {@code dev.postroad}; a
 * {@code *} stands for any one segment. A part owns the packages below its own, unless they are a part themselves; such
 * a part within it may be known without saying so, and knows nothing of it.
 */
record Part(String name, List<String> mayKnow) {
    private static final String ROOT = "dev.postroad.";

    /**
     * All arrows between the parts, present and to come. Arrows point down only: what a line names stands above it,
     * and a part that is not here must be added before it is built.
     */
    static final List<Part> ALL = List.of(
            // the ground: no part of ours
            part("api"),
            part("journal"),
            part("testkit"),
            // the broker
            part("engine", "journal"),
            // who may come in: below every protocol
            part("security"),
            part("observability", "engine"),
            // what is written on the contract alone
            part("patterns", "api"),
            part("schemas", "api"),
            part("conformance", "api"),
            part("conformance.patterns", "conformance", "patterns", "api"),
            // how messages come in and go out
            part("protocols.*.codec"),
            part("protocols.*", "engine", "security"),
            part("transports.embedded", "api", "engine"),
            part("transports.emulation", "api"),
            part("transports.*", "api", "transports.emulation"),
            // where all is put together
            part(
                    "server",
                    "api",
                    "journal",
                    "engine",
                    "security",
                    "observability",
                    "patterns",
                    "schemas",
                    "protocols.*",
                    "transports.*"),
            part("console"),
            part(
                    "cli",
                    "api",
                    "server",
                    "security",
                    "patterns",
                    "conformance",
                    "conformance.patterns",
                    "transports.embedded",
                    "transports.http",
                    "examples.orders",
                    "examples.shop"),
            part("cli.doctor", "journal"),
            part("integrations.junit", "api", "engine", "journal", "transports.embedded"),
            part("integrations.*", "api", "patterns", "server", "transports.embedded", "transports.http"),
            // what tests, measures and shows
            part("simulation.disk", "journal", "testkit"),
            part("simulation.broker", "simulation.disk", "engine", "journal", "testkit"),
            part("simulation.faults", "simulation.disk", "simulation.broker", "engine", "journal", "testkit"),
            part(
                    "fuzzing",
                    "api",
                    "journal",
                    "engine",
                    "security",
                    "protocols.*",
                    "protocols.*.codec",
                    "server",
                    "schemas",
                    "testkit"),
            part("proof", "api", "journal", "engine", "server", "transports.*", "simulation.*", "fuzzing", "testkit"),
            part("benchmarks", "api", "journal", "engine", "server", "patterns", "transports.*", "testkit"),
            part("examples.*", "api", "patterns", "schemas", "server", "transports.*", "integrations.*"));

    private static Part part(String name, String... mayKnow) {
        return new Part(name, List.of(mayKnow));
    }

    /** The part that owns a package, under its own name: {@code protocols.mqtt}, not {@code protocols.*}. */
    static Optional<Part> owning(String packageName) {
        if (!packageName.startsWith(ROOT)) {
            return Optional.empty();
        }
        String[] segments = packageName.substring(ROOT.length()).split("\\.");
        for (int length = segments.length; length > 0; length--) {
            String name = String.join(".", Arrays.asList(segments).subList(0, length));
            Optional<Part> row = ALL.stream()
                    .filter(part -> matches(part.name, name))
                    .min(Comparator.comparing(part -> part.name.contains("*")));
            if (row.isPresent()) {
                return Optional.of(new Part(name, row.get().mayKnow));
            }
        }
        return Optional.empty();
    }

    boolean mayUse(Part other) {
        return other.name.equals(name)
                || other.name.startsWith(name + ".")
                || mayKnow.stream().anyMatch(known -> matches(known, other.name));
    }

    /** Whether this is the part of that row of the table. */
    boolean is(String row) {
        return matches(row, name);
    }

    private static boolean matches(String row, String name) {
        return name.matches(row.replace(".", "\\.").replace("*", "[a-z0-9]+"));
    }
}
