package dev.postroad.benchmarks;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Who can be measured. */
enum ContenderKind {
    ENGINE("engine", "Postroad engine", ContenderKind.POSTROAD, 1024) {
        @Override
        Contender open(Path directory) {
            return new PostroadEngine(directory);
        }
    },
    API("api", "Postroad API", ContenderKind.POSTROAD, 1024) {
        @Override
        Contender open(Path directory) {
            return new PostroadApi(directory);
        }
    },
    SERVER("serve", "Postroad server", ContenderKind.POSTROAD, 0) {
        @Override
        Contender open(Path directory) {
            return new IdleServer(directory);
        }
    },
    ARTEMIS("artemis", "Artemis, timed buffer", "artemis", 4096) {
        @Override
        Contender open(Path directory) throws Exception {
            return new ArtemisBroker(directory, ArtemisBroker.BUFFER_TIMEOUT_NANOS);
        }
    },
    ARTEMIS_UNBUFFERED("artemis-unbuffered", "Artemis, no buffer", "artemis", 4096) {
        @Override
        Contender open(Path directory) throws Exception {
            return new ArtemisBroker(directory, 0);
        }
    },
    CHRONICLE("chronicle", "Chronicle Queue (no fsync)", "chronicle", 1024) {
        @Override
        Contender open(Path directory) {
            return new ChronicleLog(directory);
        }
    },
    GROUP_COMMIT("group-commit", "limit: group commit", ContenderKind.LIMITS, 1024) {
        @Override
        Contender open(Path directory) throws Exception {
            return new RawFile(directory, true);
        }
    },
    CALLER_COMMIT("caller-commit", "limit: caller commits", ContenderKind.LIMITS, 1024) {
        @Override
        Contender open(Path directory) throws Exception {
            return new RawFile(directory, false);
        }
    },
    HOP("hop", "limit: spinning hop (memory)", ContenderKind.LIMITS, 1024) {
        @Override
        Contender open(Path directory) {
            return new SpinningHop();
        }
    };

    /** What Postroad itself is called among the peers. */
    static final String POSTROAD = "postroad";

    /** What the machine's own limits are called among the peers. */
    static final String LIMITS = "limits";

    private final String id;
    private final String title;
    private final String peer;
    private final int heapMegabytes;

    ContenderKind(String id, String title, String peer, int heapMegabytes) {
        this.id = id;
        this.title = title;
        this.peer = peer;
        this.heapMegabytes = heapMegabytes;
    }

    abstract Contender open(Path directory) throws Exception;

    String id() {
        return id;
    }

    /** What tables call it. */
    String title() {
        return title;
    }

    /** The name by which {@code --peers} asks for it; {@link #POSTROAD} always takes part. */
    String peer() {
        return peer;
    }

    /** Largest heap of its process; 0 for what the JVM takes by itself. */
    int heapMegabytes() {
        return heapMegabytes;
    }

    static List<String> peers() {
        return Arrays.stream(values())
                .map(ContenderKind::peer)
                .filter(peer -> !peer.equals(POSTROAD))
                .distinct()
                .toList();
    }

    static ContenderKind of(String id) {
        return Arrays.stream(values())
                .filter(kind -> kind.id.equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no contender '" + id + "'"));
    }
}
