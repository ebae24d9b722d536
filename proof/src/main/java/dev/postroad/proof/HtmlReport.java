package dev.postroad.proof;

import dev.postroad.testkit.Experiment.Figure;
import dev.postroad.testkit.Experiment.NotRun;
import dev.postroad.testkit.Experiment.Outcome;
import dev.postroad.testkit.Experiment.Violation;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** The book as one page that needs nothing else: no script, no other file; light or dark as the reader has it. */
final class HtmlReport {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm 'UTC'").withZone(ZoneOffset.UTC);

    private static final String STYLE = """
            :root { color-scheme: light dark; --ink: #1c2230; --paper: #fff; --soft: #f3f5f8; --rule: #d5dae3;
              --faint: #5b6577; --good: #17703c; --bad: #b3201f; --warn: #8a5a00; --none: #5b6577;
              --l0: #1f6feb; --l1: #c2410c; --l2: #15803d; --l3: #9333ea; --l4: #0e7490; --l5: #be185d; }
            @media (prefers-color-scheme: dark) { :root { --ink: #e4e8ef; --paper: #14181f; --soft: #1d232d;
              --rule: #343d4b; --faint: #9aa5b6; --good: #5fd38d; --bad: #ff8a80; --warn: #f0b94d; --none: #9aa5b6;
              --l0: #6ea8fe; --l1: #fb923c; --l2: #4ade80; --l3: #c084fc; --l4: #22d3ee; --l5: #f472b6; } }
            body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
              max-width: 62rem; padding: 1.5rem; }
            h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .2rem; }
            p { margin: .4rem 0; } .faint { color: var(--faint); } a { color: inherit; }
            .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
            th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--rule); vertical-align: top; }
            th { font-weight: 600; color: var(--faint); } td.n { text-align: right; font-variant-numeric: tabular-nums;
              white-space: nowrap; }
            .verdict { font-weight: 600; white-space: nowrap; } .held { color: var(--good); }
            .broken, .failed { color: var(--bad); } .missed { color: var(--warn); } .not_run { color: var(--none); }
            .banner { border: 2px solid currentColor; border-radius: .5rem; padding: .6rem 1rem; margin: 1rem 0;
              font-weight: 600; }
            .violation { border-left: 4px solid var(--bad); background: var(--soft); padding: .5rem .8rem; margin: .6rem 0; }
            pre, code { font: .85em/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
            figure { margin: 1rem 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; }
            svg text { font: 11px system-ui, sans-serif; fill: var(--faint); } svg .grid { stroke: var(--rule); }
            svg polyline { fill: none; stroke-width: 1.8; } .legend { font-size: .9rem; color: var(--faint); }
            .key { display: inline-block; width: 1em; height: .25em; margin: 0 .4em .2em 0; background: currentColor; }
            .line-0 { stroke: var(--l0); color: var(--l0); } .line-1 { stroke: var(--l1); color: var(--l1); }
            .line-2 { stroke: var(--l2); color: var(--l2); } .line-3 { stroke: var(--l3); color: var(--l3); }
            .line-4 { stroke: var(--l4); color: var(--l4); } .line-5 { stroke: var(--l5); color: var(--l5); }
            @media print { body { max-width: none; } h2 { break-after: avoid; } }
            """;

    private final Book book;
    private final StringBuilder out = new StringBuilder();

    private HtmlReport(Book book) {
        this.book = book;
    }

    static String of(Book book) {
        return new HtmlReport(book).page();
    }

    /** Text that is nothing but text, in an element or in an attribute between double quotes. */
    static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append(Character.isISOControl(c) && c != '\n' && c != '\t' ? '\ufffd' : c);
            }
        }
        return escaped.toString();
    }

    private String page() {
        out.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
                .append("<title>Postroad: the proof book</title>\n<style>\n")
                .append(STYLE)
                .append("</style>\n</head>\n<body>\n<h1>Postroad: the proof book</h1>\n");
        paragraph(
                "faint",
                "Version " + book.version() + ", " + TIME.format(book.begun()) + ", took " + Words.time(book.took())
                        + " of " + Words.time(book.budget()) + ", seed " + book.seed() + ".");
        paragraph("faint", book.machine().line() + ".");
        banner();
        contents();
        book.chapters().forEach(this::chapter);
        leftOut();
        return out.append("</body>\n</html>\n").toString();
    }

    private void banner() {
        boolean broken = book.violations() > 0;
        boolean failed = book.failures() > 0;
        String style = broken || failed ? "broken" : book.missed() > 0 ? "missed" : "held";
        StringBuilder text = new StringBuilder(
                broken ? book.violations() + " violations of promises were found." : "No promise was found broken.");
        if (failed) {
            text.append(' ')
                    .append(book.failures())
                    .append(" experiments failed themselves: of these nothing is known.");
        }
        if (book.missed() > 0) {
            text.append(' ').append(book.missed()).append(" goals were missed.");
        }
        if (book.notRun() > 0) {
            text.append(' ').append(book.notRun()).append(" things were not run, which says nothing for them.");
        }
        out.append("<p class=\"banner ")
                .append(style)
                .append("\">")
                .append(escape(text.toString()))
                .append("</p>\n");
    }

    private void contents() {
        out.append("<div class=\"scroll\"><table>\n<tr><th>Experiment</th><th>Question</th><th>Outcome</th>"
                + "<th>Time</th></tr>\n");
        for (Finished one : book.chapters()) {
            out.append("<tr><td><a href=\"#")
                    .append(escape(one.name()))
                    .append("\">")
                    .append(escape(one.name()))
                    .append("</a></td><td>")
                    .append(escape(one.question()))
                    .append("</td><td>");
            verdict(one);
            out.append("</td><td class=\"n\">").append(Words.time(one.took())).append("</td></tr>\n");
        }
        out.append("</table></div>\n");
    }

    private void verdict(Finished one) {
        out.append("<span class=\"verdict ")
                .append(one.verdict().name().toLowerCase(java.util.Locale.ROOT))
                .append("\">")
                .append(one.verdict().words())
                .append("</span>");
    }

    private void chapter(Finished one) {
        out.append("<h2 id=\"")
                .append(escape(one.name()))
                .append("\">")
                .append(escape(one.name()))
                .append(": ");
        verdict(one);
        out.append("</h2>\n");
        paragraph(
                "faint",
                one.question() + " Given " + Words.time(one.share()) + ", took " + Words.time(one.took()) + ".");
        String failure = one.failure();
        if (failure != null) {
            out.append("<div class=\"violation\"><pre>").append(escape(failure)).append("</pre></div>\n");
        }
        for (Violation violation : one.violations()) {
            out.append("<div class=\"violation\"><p>")
                    .append(escape(violation.what()))
                    .append("</p><p>Again: <code>")
                    .append(escape(violation.replay()))
                    .append("</code></p></div>\n");
        }
        figures(one);
        for (NotRun not : one.notRun()) {
            out.append("<p><span class=\"verdict not_run\">Not run:</span> ")
                    .append(escape(not.what()))
                    .append(": ")
                    .append(escape(not.why()))
                    .append("</p>\n");
        }
        Outcome outcome = one.outcome();
        if (outcome != null) {
            outcome.plots().forEach(plot -> out.append(SvgPlot.of(plot)));
        }
    }

    private void figures(Finished one) {
        if (one.figures().isEmpty()) {
            return;
        }
        out.append("<div class=\"scroll\"><table>\n<tr><th>Figure</th><th>Value</th><th>Goal</th><th></th></tr>\n");
        for (Figure figure : one.figures()) {
            out.append("<tr><td>")
                    .append(escape(figure.name()))
                    .append("</td><td class=\"n\">")
                    .append(escape(Words.value(figure)))
                    .append("</td><td class=\"n\">")
                    .append(escape(Words.goal(figure)))
                    .append("</td><td>");
            if (figure.goal() != null) {
                out.append(
                        figure.reached()
                                ? "<span class=\"verdict held\">reached</span>"
                                : "<span class=\"verdict missed\">missed</span>");
            }
            out.append("</td></tr>\n");
        }
        out.append("</table></div>\n");
    }

    private void leftOut() {
        if (book.left().isEmpty()) {
            return;
        }
        out.append("<h2>Left out</h2>\n<ul>\n");
        book.left()
                .forEach(left -> out.append("<li>")
                        .append(escape(left.name()))
                        .append(": ")
                        .append(escape(left.why()))
                        .append("</li>\n"));
        out.append("</ul>\n");
    }

    private void paragraph(String style, String text) {
        out.append("<p class=\"")
                .append(style)
                .append("\">")
                .append(escape(text))
                .append("</p>\n");
    }
}
