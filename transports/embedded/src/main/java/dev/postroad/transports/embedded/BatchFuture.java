package dev.postroad.transports.embedded;

import dev.postroad.api.Receipt;
import dev.postroad.engine.Command;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.runtime.Broker;
import java.util.ArrayList;
import java.util.List;

/** A batch under way. */
final class BatchFuture extends EngineFuture<Command.Published, List<Receipt>> {
    private final String channel;
    private final List<EngineMessage> messages;

    BatchFuture(Broker broker, String channel, List<EngineMessage> messages) {
        super(broker);
        this.channel = channel;
        this.messages = messages;
    }

    @Override
    public void done(Command.Published published) {
        complete(receipts(channel, messages, published));
    }

    static List<Receipt> receipts(String channel, List<EngineMessage> messages, Command.Published published) {
        long[] offsets = published.offsets();
        boolean stream = offsets.length > 0;
        List<Receipt> receipts = new ArrayList<>(messages.size());
        for (int i = 0; i < messages.size(); i++) {
            receipts.add(new Receipt(
                    String.valueOf(messages.get(i).id()),
                    channel,
                    stream ? (int) offsets[2 * i] : -1,
                    stream ? offsets[2 * i + 1] : -1,
                    published.dropped(i)));
        }
        return List.copyOf(receipts);
    }
}
