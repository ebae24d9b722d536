package dev.postroad.benchmarks;

import java.util.List;

/**
 * A table to be: who is measured, which figures it shows, and what Postroad is to reach.
 *
 * @param name by which {@code --scenario} asks for it
 * @param title what the table says above
 * @param main the figure that is compared with each of the peers
 * @param figures which it shows, in this order
 * @param peers ids of the entries to compare with
 */
record Comparison(
        String name,
        String title,
        List<Entry> entries,
        String main,
        List<String> figures,
        List<String> peers,
        List<Goal> goals) {

    /**
     * One line of the table.
     *
     * @param id what goals and peers call it
     * @param judged whether it is Postroad, which the goals are about
     * @param promise what a confirm means there; empty if the table is not about confirms
     */
    record Entry(String id, String title, boolean judged, String promise) {}

    /**
     * What Postroad is to reach.
     *
     * @param figure which figure it is about
     * @param peer id of the entry to compare with; empty for an absolute goal
     * @param bound the factor, or the absolute figure
     * @param atLeast false if the figure is to stay below the bound
     */
    record Goal(String figure, String peer, double bound, boolean atLeast) {
        boolean met(double value) {
            return atLeast ? value >= bound : value <= bound;
        }
    }
}
