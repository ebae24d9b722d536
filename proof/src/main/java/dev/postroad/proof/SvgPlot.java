package dev.postroad.proof;

import dev.postroad.testkit.Experiment.Line;
import dev.postroad.testkit.Experiment.Plot;
import dev.postroad.testkit.Experiment.Point;
import java.util.List;
import java.util.Locale;

/** A plot as an SVG element, coloured by the page's style sheet: classes {@code line-0} to {@code line-5}. */
final class SvgPlot {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 240;
    private static final int LEFT = 70;
    private static final int RIGHT = 12;
    private static final int TOP = 14;
    private static final int BOTTOM = 44;
    private static final int COLOURS = 6;
    private static final int MOST_POINTS = 1_000;
    private static final int TICKS = 4;

    private final Plot plot;
    private final double mostX;
    private final double leastX;
    private final double mostY;
    private final StringBuilder out = new StringBuilder();

    private SvgPlot(Plot plot) {
        this.plot = plot;
        List<Point> all = plot.lines().stream()
                .flatMap(line -> line.points().stream())
                .filter(SvgPlot::finite)
                .toList();
        double least = all.stream().mapToDouble(Point::x).min().orElse(0);
        double most = all.stream().mapToDouble(Point::x).max().orElse(1);
        this.leastX = least;
        this.mostX = most > least ? most : least + 1;
        this.mostY = round(all.stream().mapToDouble(Point::y).max().orElse(1));
    }

    static String of(Plot plot) {
        return new SvgPlot(plot).draw();
    }

    private static boolean finite(Point point) {
        return Double.isFinite(point.x()) && Double.isFinite(point.y());
    }

    /** The next of 1, 2, 2.5, 5 times a power of ten. */
    private static double round(double most) {
        if (!(most > 0)) {
            return 1;
        }
        double power = Math.pow(10, Math.floor(Math.log10(most)));
        for (double step : new double[] {1, 2, 2.5, 5, 10}) {
            if (most <= step * power * (1 + 1e-9)) {
                return step * power;
            }
        }
        return 10 * power;
    }

    private String draw() {
        String title = HtmlReport.escape(plot.title());
        out.append("<figure><figcaption>").append(title).append("</figcaption>\n");
        out.append(String.format(
                Locale.ROOT, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">%n", WIDTH, HEIGHT, title));
        for (int i = 0; i <= TICKS; i++) {
            double y = mostY * i / TICKS;
            line("grid", LEFT, y(y), WIDTH - RIGHT, y(y));
            text("end", LEFT - 6, y(y) + 4, Words.number(y));
            double x = leastX + (mostX - leastX) * i / TICKS;
            text(i == 0 ? "start" : i == TICKS ? "end" : "middle", x(x), HEIGHT - BOTTOM + 16, Words.number(x));
        }
        text("middle", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8, plot.xLabel());
        out.append(String.format(
                Locale.ROOT,
                "<text transform=\"translate(12 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>%n",
                (TOP + HEIGHT - BOTTOM) / 2,
                HtmlReport.escape(plot.yLabel())));
        for (int i = 0; i < plot.lines().size(); i++) {
            polyline(plot.lines().get(i), i % COLOURS);
        }
        out.append("</svg>\n<p class=\"legend\">");
        for (int i = 0; i < plot.lines().size(); i++) {
            out.append("<span class=\"key line-")
                    .append(i % COLOURS)
                    .append("\"></span>")
                    .append(HtmlReport.escape(plot.lines().get(i).name()))
                    .append(" &nbsp; ");
        }
        return out.append("</p></figure>\n").toString();
    }

    private void polyline(Line line, int colour) {
        List<Point> points = line.points().stream().filter(SvgPlot::finite).toList();
        int step = Math.max(1, points.size() / MOST_POINTS);
        out.append("<polyline class=\"line-").append(colour).append("\" points=\"");
        for (int i = 0; i < points.size(); i += step) {
            Point point = points.get(i);
            out.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(point.x()), y(point.y())));
        }
        out.append("\"/>\n");
        if (points.size() == 1) {
            out.append(String.format(
                    Locale.ROOT,
                    "<circle class=\"line-%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>%n",
                    colour,
                    x(points.get(0).x()),
                    y(points.get(0).y())));
        }
    }

    private double x(double value) {
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - leastX) / (mostX - leastX);
    }

    private double y(double value) {
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * Math.clamp(value / mostY, 0, 1);
    }

    private void line(String style, double x1, double y1, double x2, double y2) {
        out.append(String.format(
                Locale.ROOT,
                "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>%n",
                style,
                x1,
                y1,
                x2,
                y2));
    }

    private void text(String anchor, double x, double y, String text) {
        out.append(String.format(
                Locale.ROOT,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n",
                x,
                y,
                anchor,
                HtmlReport.escape(text)));
    }
}
