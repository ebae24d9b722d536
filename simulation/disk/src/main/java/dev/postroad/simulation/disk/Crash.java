package dev.postroad.simulation.disk;

import java.util.Random;

/**
 * What a power cut does to the changes that had not been synced, in the order they were made.
 *
 * <p>A torn write keeps some of its bytes. Where the others should be there are the old bytes, zeros or garbage; the
 * file's length may have changed without its bytes, or not have changed although they are there. Names are kept or lost
 * each for itself.
 */
public final class Crash {
    private static final int SECTOR = 512;

    private final String text;
    private final Rule rule;

    @FunctionalInterface
    private interface Rule {
        void apply(int index, Pending change, Restart restart);
    }

    private Crash(String text, Rule rule) {
        this.text = text;
        this.rule = rule;
    }

    /** Nothing unsynced survives. */
    public static Crash losingAll() {
        return new Crash("losing all", (index, change, restart) -> {});
    }

    /** Everything survives: a kill of the process rather than of the machine. */
    public static Crash keepingAll() {
        return new Crash("keeping all", (index, change, restart) -> restart.keep(change));
    }

    /** The first so many changes survive. */
    public static Crash keepingFirst(int count) {
        return new Crash("keeping the first " + count, (index, change, restart) -> {
            if (index < count) {
                restart.keep(change);
            }
        });
    }

    /** Change {@code i} survives if bit {@code i} is set; those from 64 on are lost. */
    public static Crash keeping(long bits) {
        return new Crash("keeping " + Long.toBinaryString(bits), (index, change, restart) -> {
            if (index < 64 && (bits >>> index & 1) != 0) {
                restart.keep(change);
            }
        });
    }

    /** All changes before {@code torn} survive, of that one its first {@code bytes} bytes, and none behind it. */
    public static Crash tearing(int torn, int bytes) {
        return new Crash("tearing change " + torn + " after " + bytes + " bytes", (index, change, restart) -> {
            if (index < torn) {
                restart.keep(change);
            } else if (index == torn && change instanceof Pending.Write write) {
                restart.keepBytes(write, 0, Math.min(bytes, write.bytes().length));
            }
        });
    }

    /** All changes survive but this one: it was overtaken by those behind it. */
    public static Crash losingOnly(int lost) {
        return new Crash("losing only change " + lost, (index, change, restart) -> {
            if (index != lost) {
                restart.keep(change);
            }
        });
    }

    /** All changes before {@code spoilt} survive; where that one wrote are zeros. The file is as long as it made it. */
    public static Crash zeroing(int spoilt) {
        return new Crash("zeros for change " + spoilt, (index, change, restart) -> {
            if (index < spoilt) {
                restart.keep(change);
            } else if (index == spoilt && change instanceof Pending.Write write) {
                restart.put(write, 0, new byte[write.bytes().length]);
            }
        });
    }

    /** All changes before {@code spoilt} survive; where that one wrote is garbage. */
    public static Crash garbling(int spoilt, long seed) {
        return new Crash("garbage for change " + spoilt + ", seed " + seed, (index, change, restart) -> {
            if (index < spoilt) {
                restart.keep(change);
            } else if (index == spoilt && change instanceof Pending.Write write) {
                byte[] garbage = new byte[write.bytes().length];
                new Random(seed).nextBytes(garbage);
                restart.put(write, 0, garbage);
            }
        });
    }

    /** All changes survive, but of this one only the file's new length: its bytes are the old ones, or zeros behind them. */
    public static Crash lengthOnly(int emptied) {
        return new Crash("only the length of change " + emptied, (index, change, restart) -> {
            if (index != emptied) {
                restart.keep(change);
            } else if (change instanceof Pending.Write write) {
                restart.keepLength(write);
            }
        });
    }

    /** All changes survive, but the file that this one wrote to has not become longer by it. */
    public static Crash dataOnly(int shortened) {
        return new Crash("all but the length of change " + shortened, (index, change, restart) -> {
            restart.keep(change);
            if (index == shortened && change instanceof Pending.Write write) {
                restart.loseLength(write);
            }
        });
    }

    /** Each change is kept, lost or torn as the seed has it; the same seed does the same to the same changes. */
    public static Crash random(long seed) {
        Random random = new Random(seed);
        int kept = random.nextInt(100);
        int lost = random.nextInt(100);
        int torn = random.nextInt(100);
        boolean byNames = random.nextInt(4) == 0;
        return new Crash("random, seed " + seed, (index, change, restart) -> {
            Random own = new Random(seed * 31 + index);
            int choice = own.nextInt(kept + lost + torn + 1);
            if (change instanceof Pending.Write write) {
                if (choice < kept) {
                    restart.keep(change);
                } else if (choice >= kept + lost) {
                    tear(own, write, restart);
                } else if (own.nextInt(4) == 0) {
                    restart.keepLength(write);
                }
            } else if (byNames ? own.nextBoolean() : choice < kept + lost / 2) {
                restart.keep(change);
            }
        });
    }

    private static void tear(Random random, Pending.Write write, Restart restart) {
        int length = write.bytes().length;
        int rest = random.nextInt(3); // what is where bytes are lost: old bytes, zeros, garbage
        if (random.nextBoolean()) {
            int to = random.nextInt(length + 1);
            restart.keepBytes(write, 0, to);
            spoil(random, write, to, length, rest, restart);
        } else {
            int from = 0;
            while (from < length) {
                int to = (int) Math.min(length, SECTOR - (write.position() + from) % SECTOR + from);
                if (random.nextBoolean()) {
                    restart.keepBytes(write, from, to);
                } else {
                    spoil(random, write, from, to, rest, restart);
                }
                from = to;
            }
        }
        if (random.nextInt(4) == 0) {
            restart.loseLength(write);
        }
    }

    private static void spoil(Random random, Pending.Write write, int from, int to, int rest, Restart restart) {
        if (rest > 0 && from < to) {
            byte[] garbage = new byte[to - from];
            if (rest == 2) {
                random.nextBytes(garbage);
            }
            restart.put(write, from, garbage);
        }
    }

    void apply(int index, Pending change, Restart restart) {
        rule.apply(index, change, restart);
    }

    @Override
    public String toString() {
        return text;
    }
}
