package dev.postroad.patterns.deadletters;

import dev.postroad.api.Postroad;

/** Redrives the dead letters of {@code orders} in a directory, or goes on with that, and says how far it is. */
final class RedrivingProgram {
    private RedrivingProgram() {}

    public static void main(String[] args) throws InterruptedException {
        try (Postroad postroad = Postroad.connect("embedded:" + args[0])) {
            DeadLetters letters = new DeadLetters(postroad, "orders.dead");
            if (letters.resume(done -> System.out.println("done " + done)).isEmpty()) {
                letters.redrive(RedriveSettings.DEFAULT.withBatch(7), done -> System.out.println("done " + done));
            }
            System.out.println("through");
        }
    }
}
