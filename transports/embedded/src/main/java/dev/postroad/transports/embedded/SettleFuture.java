package dev.postroad.transports.embedded;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.runtime.Broker;
import org.jspecify.annotations.Nullable;

/** A settlement under way, of one delivery or of several of one channel. */
final class SettleFuture extends EngineFuture<Integer, Void> {
    private final String channel;
    private final int count;
    private final @Nullable EmbeddedDelivery single;

    /**
     * @param single to be settled again if this fails; null for several deliveries, of which nobody knows which were late
     */
    SettleFuture(Broker broker, String channel, int count, @Nullable EmbeddedDelivery single) {
        super(broker);
        this.channel = channel;
        this.count = count;
        this.single = single;
    }

    @Override
    @SuppressWarnings("NullAway") // the one value of Void
    public void done(Integer late) {
        if (late == 0) {
            complete(null);
            return;
        }
        reopen();
        completeExceptionally(new MessagingException(
                Reason.LEASE_LOST,
                (count == 1 ? "the delivery is" : late + " of " + count + " deliveries are")
                        + " no longer this consumer's on" + " channel '" + channel
                        + "': the lease ran out, or the message was purged"));
    }

    @Override
    public void failed(EngineException cause) {
        reopen();
        super.failed(cause);
    }

    private void reopen() {
        if (single != null) {
            single.reopen();
        }
    }
}
