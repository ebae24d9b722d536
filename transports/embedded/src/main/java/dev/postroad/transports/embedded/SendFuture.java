package dev.postroad.transports.embedded;

import dev.postroad.api.Receipt;
import dev.postroad.engine.Command;
import dev.postroad.engine.runtime.Broker;

/** One message under way. */
final class SendFuture extends EngineFuture<Command.Published, Receipt> {
    private final String channel;
    private final String id;

    SendFuture(Broker broker, String channel, String id) {
        super(broker);
        this.channel = channel;
        this.id = id;
    }

    @Override
    public void done(Command.Published published) {
        complete(receipt(id, channel, published));
    }

    static Receipt receipt(String id, String channel, Command.Published published) {
        return new Receipt(id, channel, published.partition(), published.firstOffset(), published.duplicates() > 0);
    }
}
