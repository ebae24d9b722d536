package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Groups under random joins, leaves, silences, restarts, and streams that come and go. */
class GroupsModelTest {
    private static final class Client {
        Command.Joined place;
        final List<String> reads;
        long heard;
        final long session;

        Client(Command.Joined place, List<String> reads, long heard, long session) {
            this.place = place;
            this.reads = reads;
            this.heard = heard;
            this.session = session;
        }

        Command.Member member() {
            return new Command.Member(place.memberId(), place.generation());
        }
    }

    private static final class Run {
        final Generator gen;
        final boolean allTheSame;
        final PageStore store = new PageStore();
        final TreeMap<String, StreamState> streams = new TreeMap<>();
        final List<Client> clients = new ArrayList<>();
        final Map<String, Long> committed = new TreeMap<>();
        Groups groups = new Groups();
        Map<String, String> owners = new HashMap<>();
        long now;
        int term = 1;
        int generation;

        Run(Generator gen) {
            this.gen = gen;
            allTheSame = gen.flip();
            for (int i = gen.between(1, 3); i > 0; i--) {
                declare("s" + i);
            }
            groups.attach(term, streams::get);
        }

        void declare(String name) {
            int partitions = gen.between(1, 20);
            streams.put(name, new StreamState(1, StreamDefinition.named(name, partitions), store, store));
        }

        void join() {
            List<String> all = List.copyOf(streams.keySet());
            List<String> some = allTheSame ? all : gen.some(all);
            List<String> reads = some.isEmpty() ? all : some;
            long session = gen.between(1, 100);
            clients.add(new Client(groups.join("g", null, reads, session, now), reads, now, session));
        }

        void leave() {
            Client client = clients.remove(gen.between(0, clients.size() - 1));
            assertThat(groups.leave("g", client.place.memberId())).isTrue();
        }

        void pass() {
            now += gen.between(0, 60);
            List<Client> silent = new ArrayList<>();
            for (Client client : clients) {
                if (client.heard + client.session <= now) {
                    silent.add(client);
                }
            }
            if (!silent.isEmpty()) {
                assertThat(groups.nextExpiryMillis()).isLessThanOrEqualTo(now);
            }
            assertThat(groups.expire(now)).isEqualTo(silent.size());
            clients.removeAll(silent);
            assertThat(groups.nextExpiryMillis()).isGreaterThan(now);
        }

        void hear() {
            for (Client client : gen.some(clients)) {
                client.place = groups.heartbeat("g", client.member(), now);
                client.heard = now;
            }
        }

        void commit() {
            Client client = gen.choose(clients);
            client.place = groups.heartbeat("g", client.member(), now);
            client.heard = now;
            client.place.partitions().forEach((stream, partitions) -> {
                for (int partition : partitions) {
                    groups.checkCommit("g", client.member(), List.of(new Command.Position(stream, partition, 0, null)));
                    groups.applyCommit("g", stream, partition, 0, null);
                    committed.put(stream + "/" + partition, 0L);
                }
            });
        }

        void restart() {
            Snapshot snapshot = new Snapshot();
            groups.write(snapshot);
            groups = new Groups();
            groups.read(snapshot.finish());
            groups.attach(++term, streams::get);
            clients.clear();
            owners.clear();
        }

        void deleteStream() {
            String name = gen.choose(List.copyOf(streams.keySet()));
            streams.remove(name);
            groups.applyStreamDeleted(name);
            committed.keySet().removeIf(p -> p.startsWith(name + "/"));
            declare(name);
            owners.clear();
        }

        /** Everybody hears where it stands; then all is owned once, evenly, and hardly anything moved. */
        void check() {
            Map<String, String> before = owners;
            owners = new HashMap<>();
            int[] loads = new int[clients.size()];
            for (int i = 0; i < loads.length; i++) {
                Client client = clients.get(i);
                client.place = groups.heartbeat("g", client.member(), now);
                client.heard = now;
                String id = client.place.memberId();
                int index = i;
                client.place.partitions().forEach((stream, partitions) -> {
                    assertThat(client.reads).contains(stream);
                    for (int partition : partitions) {
                        loads[index]++;
                        assertThat(owners.put(stream + "/" + partition, id)).isNull();
                    }
                });
            }
            Set<Integer> generations = new HashSet<>();
            clients.forEach(c -> generations.add(c.place.generation()));
            assertThat(generations).hasSizeLessThanOrEqualTo(1);
            for (int current : generations) {
                assertThat(current).isGreaterThanOrEqualTo(generation);
                generation = current;
            }
            assertThat(owners.keySet()).isEqualTo(partitionsRead());
            if (allTheSame && loads.length > 0) {
                checkEvenAndSticky(before, loads);
            }
            assertThat(!groups.status().isEmpty()).isEqualTo(!clients.isEmpty() || !committed.isEmpty());
            Set<String> stored = new HashSet<>();
            groups.positions("g").forEach(p -> stored.add(p.stream() + "/" + p.partition()));
            assertThat(stored).isEqualTo(committed.keySet());
        }

        private Set<String> partitionsRead() {
            Set<String> read = new HashSet<>();
            streams.forEach((name, stream) -> {
                if (clients.stream().anyMatch(c -> c.reads.contains(name))) {
                    for (int p = 0; p < stream.partitions(); p++) {
                        read.add(name + "/" + p);
                    }
                }
            });
            return read;
        }

        /** Since the check before at most one thing happened, so the least that must have moved is known. */
        private void checkEvenAndSticky(Map<String, String> before, int[] loads) {
            int most = 0;
            int least = Integer.MAX_VALUE;
            for (int load : loads) {
                most = Math.max(most, load);
                least = Math.min(least, load);
            }
            assertThat(most - least).isLessThanOrEqualTo(1);
            Map<String, Integer> hadBefore = new HashMap<>();
            before.values().forEach(id -> hadBefore.merge(id, 1, Integer::sum));
            List<Integer> had = new ArrayList<>();
            clients.forEach(c -> had.add(hadBefore.getOrDefault(c.place.memberId(), 0)));
            had.sort(null);
            int larger = owners.size() % loads.length;
            int fewest = 0;
            for (int i = loads.length - 1; i >= 0; i--) {
                fewest += Math.max(0, had.get(i) - owners.size() / loads.length - (larger-- > 0 ? 1 : 0));
            }
            Set<String> here = new HashSet<>();
            clients.forEach(c -> here.add(c.place.memberId()));
            long taken = before.entrySet().stream()
                    .filter(e -> here.contains(e.getValue()) && !e.getValue().equals(owners.get(e.getKey())))
                    .count();
            assertThat(taken).isEqualTo(fewest);
        }
    }

    @Test
    void everyPartitionHasOneOwnerTheLoadIsEvenAndNoMoreMovesThanMust() {
        Property.forAll("one owner, even, sticky, generations grow", 300, gen -> {
            Run run = new Run(gen);
            for (int step = gen.between(5, 80); step > 0; step--) {
                boolean any = !run.clients.isEmpty();
                switch (gen.between(0, 11)) {
                    case 0, 1, 2, 3 -> run.join();
                    case 4 -> {
                        if (any) {
                            run.leave();
                        }
                    }
                    case 5, 6 -> run.hear();
                    case 7, 8 -> run.pass();
                    case 9 -> {
                        if (any) {
                            run.commit();
                        }
                    }
                    case 10 -> {
                        if (gen.chance(1, 3)) {
                            run.restart();
                        }
                    }
                    default -> {
                        if (gen.chance(1, 3)) {
                            run.deleteStream();
                        }
                    }
                }
                run.check();
            }
        });
    }
}
