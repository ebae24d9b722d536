package dev.postroad.conformance;

import dev.postroad.api.Administration;
import dev.postroad.api.Administration.ChannelStatus;
import dev.postroad.api.Administration.GroupStatus;
import dev.postroad.api.Channel;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.conformance.ConformanceReport.Criterion;
import java.time.Duration;
import java.util.List;
import java.util.function.ToLongFunction;

/** What operators see is what happened. */
final class AdministrationChecks {
    private AdministrationChecks() {}

    static List<Check> all() {
        return List.of(
                Check.base("a channel's counts are what happened", AdministrationChecks::counts),
                Check.of(Need.REDELIVERY, "redeliveries are counted", AdministrationChecks::redeliveries),
                Check.of(Need.DELAY, "messages that wait for their time are counted", AdministrationChecks::delayed),
                Check.of(Need.DEAD_LETTER, "dead letters are counted", AdministrationChecks::deadLetters),
                Check.of(Need.GROUPS, "a group's lag is what it has yet to settle", AdministrationChecks::lag)
                        .using(Need.REPLAY),
                Check.base("purging drops what waits and tells how much", AdministrationChecks::purge),
                Check.base(
                        "a deleted channel is gone, and can't be while it has consumers",
                        AdministrationChecks::delete));
    }

    static ChannelStatus status(Probe probe, String channel) {
        return probe.administration().channels().stream()
                .filter(status -> status.channel().name().equals(channel))
                .findFirst()
                .orElseThrow(() -> new CheckFailed("channel '" + channel + "' is not listed"));
    }

    /** One number of a channel, which must become this; nothing to be shown where the broker does not tell it. */
    private static void counted(
            Probe probe, Channel channel, String name, long expected, ToLongFunction<ChannelStatus> number) {
        if (number.applyAsLong(status(probe, channel.name())) == Administration.NOT_TOLD) {
            return;
        }
        probe.facts().expect(Criterion.MONITORING, 1);
        probe.await(
                () -> name + ": expected " + expected + ", found " + number.applyAsLong(status(probe, channel.name())),
                () -> number.applyAsLong(status(probe, channel.name())) == expected);
        probe.facts().met(Criterion.MONITORING);
    }

    private static void counts(Probe probe) {
        Channel channel = probe.declare(probe.queue().withPrefetch(4));
        ChannelStatus fresh = status(probe, channel.name());
        probe.that(fresh.ready() >= 0 && fresh.consumers() >= 0, "a channel does not tell what waits or who consumes");
        probe.send(channel, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
        counted(probe, channel, "ready", 10, ChannelStatus::ready);
        counted(probe, channel, "accepted", 10, ChannelStatus::accepted);
        counted(probe, channel, "consumers", 0, ChannelStatus::consumers);
        long bytes = status(probe, channel.name()).bytes();
        probe.that(bytes == Administration.NOT_TOLD || bytes >= 10, "ten messages of a byte make " + bytes + " bytes");
        probe.equal("the channel", channel, status(probe, channel.name()).channel());
        Inbox inbox = probe.inbox(channel);
        List<Delivery<byte[], byte[]>> held =
                List.of(inbox.next("1"), inbox.next("2"), inbox.next("3"), inbox.next("4"));
        counted(probe, channel, "in flight", 4, ChannelStatus::inFlight);
        if (fresh.inFlight() != Administration.NOT_TOLD
                || status(probe, channel.name()).ready() != 10) {
            counted(probe, channel, "ready", 6, ChannelStatus::ready);
        }
        counted(probe, channel, "consumers", 1, ChannelStatus::consumers);
        held.forEach(inbox::acknowledge);
        counted(probe, channel, "acknowledged", 4, ChannelStatus::acknowledged);
        inbox.take(6);
        counted(probe, channel, "acknowledged", 10, ChannelStatus::acknowledged);
        counted(probe, channel, "ready", 0, ChannelStatus::ready);
        counted(probe, channel, "in flight", 0, ChannelStatus::inFlight);
        counted(probe, channel, "redelivered", 0, ChannelStatus::redelivered);
        inbox.close();
        counted(probe, channel, "consumers", 0, ChannelStatus::consumers);
    }

    private static void redeliveries(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a");
        try (Inbox inbox = probe.inbox(channel)) {
            inbox.nextIs("a");
        }
        probe.inbox(channel).nextAre("a");
        counted(probe, channel, "redelivered", 1, ChannelStatus::redelivered);
        counted(probe, channel, "accepted", 1, ChannelStatus::accepted);
    }

    private static void delayed(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, Message.<String, String>of("k", "later").withDelay(Duration.ofMinutes(10)));
        probe.send(channel, "now");
        counted(probe, channel, "delayed", 1, ChannelStatus::delayed);
        counted(probe, channel, "ready", 1, ChannelStatus::ready);
    }

    private static void deadLetters(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()));
        probe.send(channel, "a", "b");
        Inbox inbox = probe.inbox(channel);
        inbox.settled(inbox.next("a message").deadLetter("counted"));
        inbox.settled(inbox.next("a message").deadLetter("counted"));
        counted(probe, channel, "dead-lettered", 2, ChannelStatus::deadLettered);
        counted(probe, channel, "ready", 0, ChannelStatus::ready);
    }

    private static void lag(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        probe.send(channel, "a", "b", "c", "d", "e");
        Inbox inbox = probe.group(channel, "g");
        inbox.nextAre("a", "b");
        probe.facts().expect(Criterion.MONITORING, 3);
        probe.await(
                () -> "a group that has settled two of five: "
                        + probe.administration().groups(channel.name()),
                () -> group(probe, channel).lag() == 3);
        probe.facts().met(Criterion.MONITORING);
        probe.equal("the group", "g", group(probe, channel).group());
        probe.equal("its consumers", 1, group(probe, channel).consumers());
        probe.facts().met(Criterion.MONITORING);
        inbox.nextAre("c", "d", "e");
        probe.await(
                () -> "a group that has settled all: " + probe.administration().groups(channel.name()),
                () -> group(probe, channel).lag() == 0);
        probe.facts().met(Criterion.MONITORING);
    }

    private static GroupStatus group(Probe probe, Channel channel) {
        List<GroupStatus> groups = probe.administration().groups(channel.name());
        probe.equal("the number of groups", 1, groups.size());
        return groups.getFirst();
    }

    private static void purge(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a", "b", "c");
        probe.equal("messages purged", 3L, probe.administration().purge(channel.name()));
        probe.send(channel, "last");
        probe.inbox(channel).nextIs("last");
    }

    private static void delete(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        try (Inbox inbox = probe.inbox(channel)) {
            probe.equal("deliveries", List.of(), inbox.receive(1, Duration.ZERO));
            probe.refused(
                    "deleting a channel with a consumer",
                    () -> probe.administration().delete(channel.name()),
                    Reason.IN_USE);
        }
        probe.administration().delete(channel.name());
        probe.that(probe.transport().find(channel.name()).isEmpty(), "a deleted channel is still found");
        probe.refused(
                "deleting what is not there", () -> probe.administration().delete(channel.name()), Reason.NOT_FOUND);
        probe.declare(channel);
        probe.equal(
                "messages of a channel declared anew",
                0L,
                status(probe, channel.name()).ready());
    }
}
