package dev.postroad.cli;

/** How results are printed. */
enum OutputFormat {
    /** Tables and sentences for people. */
    TEXT,
    /** One JSON document. */
    JSON
}
