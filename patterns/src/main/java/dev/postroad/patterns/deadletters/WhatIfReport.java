package dev.postroad.patterns.deadletters;

import dev.postroad.patterns.deadletters.Prediction.Verdict;
import java.util.List;

/**
 * What would become of dead letters.
 *
 * @param origin the channel, or stream, that they would go back to
 * @param predictions one for each letter that was tried, in the order of the letters
 * @param notTried letters that fit the filter and came from elsewhere, or were too many
 * @param unattributed messages that would be sent by threads of the handler's own, of which it is not known for which letter
 */
public record WhatIfReport(String origin, List<Prediction> predictions, long notTried, long unattributed) {

    /** How many would end so. */
    public long count(Verdict verdict) {
        return predictions.stream().filter(each -> each.verdict() == verdict).count();
    }
}
