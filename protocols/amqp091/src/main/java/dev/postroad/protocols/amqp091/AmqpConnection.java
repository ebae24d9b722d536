package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Command;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.Reply;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.runtime.Connections;
import dev.postroad.engine.runtime.Connections.ChannelDetails;
import dev.postroad.protocols.amqp091.codec.ArgumentReader;
import dev.postroad.protocols.amqp091.codec.ChannelMethod;
import dev.postroad.protocols.amqp091.codec.ConnectionMethod;
import dev.postroad.protocols.amqp091.codec.Fields;
import dev.postroad.protocols.amqp091.codec.Frames;
import dev.postroad.protocols.amqp091.codec.MalformedException;
import dev.postroad.protocols.amqp091.codec.Method;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.DecoderException;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection. Everything of it happens on its event loop, but for {@link #tell} and {@link #told}, by which the engine hands
 * over what it has to say.
 *
 * <pre>
 *   socket ─▶ frames ─▶ channels ─▶ staged ─▶ (end of the loop's turn) ─▶ engine
 *   socket ◀─ output ◀─ channels ◀─ taken in ◀────────── outbox ◀──────────┘
 * </pre>
 *
 * A method that is answered with what the engine says holds up the connection until it is, so that methods take effect in
 * the order in which they came. So does having too much under way that the engine has not taken yet: that is the backpressure
 * on publishers. And while the peer does not read, nothing is taken in: consumers' credit is the bound then.
 */
final class AmqpConnection extends ChannelInboundHandlerAdapter implements Frames.Handler, Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(AmqpConnection.class);
    private static final long MOST_UNDER_WAY_BYTES = 8 << 20;
    private static final int MOST_KEPT_BYTES = 256 * 1024;
    private static final long CLOSE_MILLIS = 5_000;

    /** Where the connection stands. */
    enum State {
        HANDSHAKE,
        RUNNING,
        /** We said close; only the answer counts. */
        CLOSING,
        CLOSED
    }

    final AmqpServer server;
    final LoopTurn turn;
    private final Handshake handshake;
    private final ArgumentReader reader;
    private final IntObjectMap<AmqpChannel> channels = new IntObjectHashMap<>(4);
    private final Outbox outbox = new Outbox();
    private final AtomicBoolean told = new AtomicBoolean();
    private final List<AmqpChannel> confirming = new ArrayList<>();
    private final List<Consumer> settling = new ArrayList<>();

    // Set when the channel becomes active, before anything else happens.
    private ChannelHandlerContext context;
    private Output output;

    private State state = State.HANDSHAKE;
    private @Nullable ByteBuf kept;
    private boolean parsing;
    private int waiting;
    private long underWayBytes;
    private @Nullable PublishGroup group;
    private boolean ownerClosed;
    private @Nullable String mark;
    private Connections.@Nullable Registration shown;

    /** Why publishes are not read for now; null if they are. */
    private @Nullable String blocked;

    private boolean publishes;

    private final Incoming incoming;

    // What the turn of the event loop keeps about this connection.
    boolean inStaged;
    boolean inReady;
    boolean inWritten;

    // Heartbeats: whether anything came or went since the last look.
    private boolean received;
    private long receivedBytes;
    private boolean sent;
    private int silence;

    @SuppressWarnings("NullAway.Init") // context and output come with the active channel
    AmqpConnection(AmqpServer server, LoopTurn turn) {
        this.server = server;
        this.turn = turn;
        this.reader = turn.reader();
        this.incoming = new Incoming(server.incomingShare());
        this.handshake = new Handshake(this);
    }

    // ── Netty ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        output = new Output(ctx);
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        handshake.begin(ctx);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        received = true;
        receivedBytes += in.readableBytes();
        if (state == State.CLOSED) {
            in.release();
            return;
        }
        kept = kept == null ? in : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), kept, in);
        parse();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (group != null || !settling.isEmpty()) {
            turn.staged(this);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (ctx.channel().isWritable()) {
            turn.ready(this);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        gone();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof DecoderException && cause.getCause() instanceof SSLException refused) {
            // Any stranger can do that: one line, and not the way it went.
            LOG.info("no TLS with {}: {}", ctx.channel().remoteAddress(), refused.getMessage());
        } else if (!(cause instanceof java.io.IOException)) {
            LOG.warn("connection from {} fails", ctx.channel().remoteAddress(), cause);
        }
        ctx.close();
    }

    // ── Frames ───────────────────────────────────────────────────────────────────────────────────────────────────────

    private boolean mayParse() {
        return waiting == 0
                && underWayBytes < MOST_UNDER_WAY_BYTES
                && (blocked == null || !publishes)
                && state != State.CLOSED;
    }

    /** The engine is at a bound and refuses publishes: what comes from publishers waits in their sockets. */
    void blocked(String reason) {
        if (state != State.RUNNING || blocked != null) {
            return;
        }
        blocked = reason;
        if (handshake.clientCan("connection.blocked")) {
            write(0, new ConnectionMethod.Blocked(Fields.shorten(reason)));
        }
    }

    /** The engine takes publishes again. */
    void unblocked() {
        if (blocked == null) {
            return;
        }
        blocked = null;
        if (state == State.RUNNING && handshake.clientCan("connection.blocked")) {
            write(0, new ConnectionMethod.Unblocked());
        }
        turn.ready(this);
    }

    /** The next frames are a publish, which waits while publishes are refused. */
    void publishing() {
        publishes = true;
    }

    private void parse() {
        ByteBuf in = kept;
        if (in == null || parsing || !mayParse()) {
            holdBack();
            return;
        }
        parsing = true;
        try {
            if (state != State.HANDSHAKE || handshake.header(in)) {
                Frames.parse(in, handshake.largestFrame(), this);
            }
        } catch (MalformedException e) {
            end(e.code(), String.valueOf(e.getMessage()), 0);
        } finally {
            parsing = false;
            reader.release();
        }
        if (!in.isReadable() || state == State.CLOSED) {
            if (kept != null) {
                kept = null;
                in.release();
            }
        } else if (in.readerIndex() > MOST_KEPT_BYTES / 2) {
            in.discardReadBytes();
        }
        if (output.pending()) {
            turn.written(this);
        }
        holdBack();
    }

    /** Stops reading while what came can't be taken, and goes on when it can. */
    private void holdBack() {
        ByteBuf in = kept;
        boolean hold = in != null && in.readableBytes() > MOST_KEPT_BYTES && !mayParse();
        if (context.channel().config().isAutoRead() == hold) {
            context.channel().config().setAutoRead(!hold);
        }
    }

    @Override
    public boolean frame(int type, int number, ByteBuf in, int length) {
        switch (state) {
            case HANDSHAKE -> handshake.frame(type, number, reader.over(in, length));
            case RUNNING -> running(type, number, in, length);
            case CLOSING -> closing(type, number, in, length);
            case CLOSED -> {}
        }
        return mayParse();
    }

    private void running(int type, int number, ByteBuf in, int length) {
        if (type == Frames.HEARTBEAT) {
            if (number != 0 || length != 0) {
                throw new MalformedException(
                        ReplyCode.FRAME_ERROR, "a heartbeat is on channel 0 and empty; this one is on " + number);
            }
            return;
        }
        if (number == 0) {
            if (type != Frames.METHOD) {
                throw new MalformedException(
                        ReplyCode.UNEXPECTED_FRAME, "channel 0 carries methods only, and no content");
            }
            method(Method.read(reader.over(in, length)));
            return;
        }
        AmqpChannel channel = channels.get(number);
        if (channel == null) {
            openChannel(type, number, in, length);
            return;
        }
        try {
            switch (type) {
                case Frames.METHOD -> channel.method(reader.over(in, length));
                case Frames.HEADER -> channel.header(reader.over(in, length));
                default -> channel.body(in, length);
            }
        } catch (AmqpException e) {
            fail(channel, e.code(), String.valueOf(e.getMessage()), channel.methodId());
        }
    }

    private void openChannel(int type, int number, ByteBuf in, int length) {
        if (type != Frames.METHOD || !(Method.read(reader.over(in, length)) instanceof ChannelMethod.Open)) {
            throw new MalformedException(
                    ReplyCode.CHANNEL_ERROR, "channel " + number + " is not open: expected 'channel.open'");
        }
        if (number > handshake.channelMax()) {
            throw new MalformedException(
                    ReplyCode.NOT_ALLOWED,
                    "channel " + number + " is beyond the " + handshake.channelMax() + " that were agreed");
        }
        channels.put(number, new AmqpChannel(this, number));
        output.method(number, new ChannelMethod.OpenOk(new byte[0]));
    }

    private void method(Method method) {
        switch (method) {
            case ConnectionMethod.Close close -> {
                handOver();
                closeOwner(() -> {
                    output.method(0, new ConnectionMethod.CloseOk());
                    closeSocket();
                });
            }
            case ConnectionMethod.CloseOk ok -> closeSocket();
            case ConnectionMethod.UpdateSecret update -> handshake.updateSecret(update);
            default ->
                throw new MalformedException(
                        ReplyCode.COMMAND_INVALID,
                        "method " + Method.name(method.id()) + " is not expected on channel 0 of an open connection");
        }
    }

    private void closing(int type, int number, ByteBuf in, int length) {
        if (type != Frames.METHOD || number != 0) {
            return;
        }
        switch (Method.read(reader.over(in, length))) {
            case ConnectionMethod.CloseOk ok -> closeSocket();
            case ConnectionMethod.Close close -> {
                output.method(0, new ConnectionMethod.CloseOk());
                closeSocket();
            }
            default -> {}
        }
    }

    // ── To the engine ────────────────────────────────────────────────────────────────────────────────────────────────

    /** Publishes follow one another: those to the same place, with the same flags, go as one. */
    PublishGroup group(AmqpChannel channel, PublishGroup.Place place, boolean isTransient, int bytes) {
        PublishGroup open = group;
        if (open == null || !open.takes(channel, place, isTransient, bytes)) {
            handOverGroup();
            open = new PublishGroup(this, channel, place);
            group = open;
        }
        underWayBytes += bytes;
        return open;
    }

    /** The engine has answered for so many bytes. */
    void answered(long bytes) {
        underWayBytes -= bytes;
    }

    /** The consumer has acknowledgements staged. */
    void settles(Consumer consumer) {
        settling.add(consumer);
    }

    /** Hands over what is staged; it is carried out at the end of the loop's turn. */
    void handOver() {
        handOverGroup();
        if (!settling.isEmpty()) {
            for (Consumer consumer : settling) {
                consumer.settleStaged();
            }
            settling.clear();
        }
    }

    private void handOverGroup() {
        PublishGroup open = group;
        if (open != null) {
            group = null;
            submit(open.command());
        }
    }

    /** Hands over a command, without those that are staged. */
    void submit(Command command) {
        server.broker.stage(command);
        turn.drive();
    }

    /**
     * What a consumer that wants no messages of its own connection takes: all but those that carry the connection's mark, which
     * its publishes carry from now on.
     */
    Rule others() {
        String known = mark;
        if (known == null) {
            known = Topology.unique("");
            mark = known;
        }
        String header = "`" + MessageMapping.CONNECTION + "`";
        return Rule.parse(header + " IS NULL OR " + header + " <> '" + known + "'");
    }

    /** The mark of the connection's publishes; null if they need none. */
    @Nullable
    String mark() {
        return mark;
    }

    /** Something else is under way: frames wait until {@link #resume}. */
    void pause() {
        waiting++;
    }

    void resume() {
        waiting--;
        turn.ready(this);
    }

    /**
     * Asks the engine, after what is staged; frames wait for the answer.
     *
     * @param channel what fails with an error in the answer; null for the connection
     */
    <R> void ask(
            @Nullable AmqpChannel channel,
            Function<Reply<R>, Command> command,
            java.util.function.Consumer<R> done,
            java.util.function.Consumer<EngineException> refused) {
        handOver();
        waiting++;
        submit(command.apply(new Question<>(channel, done, refused)));
    }

    private final class Question<R> implements Reply<R>, Event {
        private final @Nullable AmqpChannel channel;
        private final int methodId;
        private final java.util.function.Consumer<R> onDone;
        private final java.util.function.Consumer<EngineException> onRefused;
        private @Nullable R result;
        private @Nullable EngineException refusal;

        Question(
                @Nullable AmqpChannel channel,
                java.util.function.Consumer<R> onDone,
                java.util.function.Consumer<EngineException> onRefused) {
            this.channel = channel;
            this.methodId = channel == null ? 0 : channel.methodId();
            this.onDone = onDone;
            this.onRefused = onRefused;
        }

        @Override
        public void done(R answer) {
            result = answer;
            tell(this);
        }

        @Override
        public void failed(EngineException cause) {
            refusal = cause;
            tell(this);
        }

        @Override
        @SuppressWarnings("NullAway") // a result is null exactly where its type is that of a nullable one
        public void happen() {
            waiting--;
            if (state == State.CLOSED) {
                return;
            }
            try {
                if (refusal != null) {
                    onRefused.accept(refusal);
                } else {
                    onDone.accept(result);
                }
            } catch (AmqpException e) {
                fail(channel, e.code(), String.valueOf(e.getMessage()), methodId);
            }
        }
    }

    // ── From the engine ──────────────────────────────────────────────────────────────────────────────────────────────

    /** By the thread that runs the engine: this happens on the event loop. */
    void tell(Event event) {
        outbox.add(event);
        told();
    }

    /** By the thread that runs the engine: a delivery; {@link #told} says when it is the last for now. */
    void tell(Consumer consumer, Object delivery) {
        outbox.add(consumer);
        outbox.add(delivery);
    }

    /** By the thread that runs the engine: there is something to take in. */
    void told() {
        if (turn.inEventLoop()) {
            turn.ready(this);
        } else if (!told.get() && told.compareAndSet(false, true)) {
            try {
                context.channel().eventLoop().execute(this);
            } catch (RejectedExecutionException e) {
                LOG.debug("the event loop has ended");
            }
        }
    }

    /** Room for deliveries that are not written yet. */
    Incoming incoming() {
        return incoming;
    }

    /** The event loop learns that there is something to take in. */
    @Override
    public void run() {
        told.set(false);
        turn.ready(this);
    }

    /** Takes in what the engine has told, as long as the peer reads. */
    void takeIn() {
        while (writable()) {
            Object entry = outbox.poll();
            if (entry == null) {
                break;
            }
            if (entry instanceof Consumer consumer) {
                Object delivery = outbox.poll();
                while (delivery == null) {
                    Thread.onSpinWait();
                    delivery = outbox.poll();
                }
                consumer.delivered(delivery);
            } else {
                ((Event) entry).happen();
            }
        }
        if (incoming.fedAgain()) {
            channels.values().forEach(AmqpChannel::feed);
        }
        if (!confirming.isEmpty()) {
            for (AmqpChannel channel : confirming) {
                channel.writeConfirms();
            }
            confirming.clear();
        }
        if (output.pending()) {
            turn.written(this);
        }
        if (kept != null) {
            parse();
            if (group != null || !settling.isEmpty()) {
                turn.staged(this);
            }
        } else {
            holdBack();
        }
    }

    private boolean writable() {
        return state == State.CLOSED || context.channel().isWritable();
    }

    /** The channel has confirms to write when all that the engine told is taken in. */
    void confirms(AmqpChannel channel) {
        confirming.add(channel);
    }

    // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    Output output() {
        return output;
    }

    /** What was written goes out at the end of the loop's turn. */
    void write(int channel, Method method) {
        if (state != State.CLOSED) {
            output.method(channel, method);
            turn.written(this);
        }
    }

    void flush() {
        sent = true;
        if (state == State.CLOSED) {
            output.drop();
        } else {
            output.flush();
        }
    }

    // ── Life ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    long receivedBytes() {
        return receivedBytes;
    }

    /** True while publishes have to wait. */
    boolean isBlocked() {
        return blocked != null;
    }

    /** What operators see of the channels, in order of their numbers. */
    List<ChannelDetails> channelDetails() {
        List<ChannelDetails> details = new ArrayList<>();
        channels.values().forEach(channel -> details.add(channel.details()));
        details.sort(Comparator.comparingInt(ChannelDetails::number));
        return details;
    }

    ChannelHandlerContext context() {
        return context;
    }

    Handshake handshake() {
        return handshake;
    }

    State state() {
        return state;
    }

    /** The handshake is over. */
    void running(int heartbeatSeconds) {
        state = State.RUNNING;
        shown = ShownConnection.register(this, heartbeatSeconds);
        if (heartbeatSeconds > 0) {
            long half = heartbeatSeconds * 500L;
            context.channel()
                    .eventLoop()
                    .scheduleAtFixedRate(this::heartbeat, half, half, TimeUnit.MILLISECONDS)
                    .addListener(f -> {
                        if (!f.isCancelled() && f.cause() != null && state != State.CLOSED) {
                            LOG.warn("heartbeats fail", f.cause());
                        }
                    });
        }
    }

    /** Twice in a heartbeat's time: sends one where nothing else went, and notices that nothing comes any more. */
    private void heartbeat() {
        if (state == State.CLOSED) {
            throw new java.util.concurrent.CancellationException();
        }
        if (!sent && context.channel().isWritable()) {
            Frames.writeHeartbeat(output.buffer());
            output.flush();
        }
        sent = false;
        // While we don't read, it is not the peer's fault that nothing comes.
        silence = received || !context.channel().config().isAutoRead() ? 0 : silence + 1;
        received = false;
        if (silence > 4) {
            LOG.info(
                    "connection from {} missed its heartbeats and is closed",
                    context.channel().remoteAddress());
            context.close();
        }
    }

    /** A channel, or the connection where the code says so, ends with an error. */
    void fail(@Nullable AmqpChannel channel, ReplyCode code, String what, int methodId) {
        if (code.endsConnection() || channel == null) {
            end(code, what, methodId);
        } else {
            channel.end(code, what, methodId);
        }
    }

    /** Ends the connection with an error: its consumers' deliveries go back at once. */
    void end(ReplyCode code, String what, int methodId) {
        if (state == State.CLOSED || state == State.CLOSING) {
            return;
        }
        LOG.info("connection from {} ends: {}", context.channel().remoteAddress(), AmqpException.replyText(code, what));
        boolean spoke = handshake.begun();
        handOver();
        state = State.CLOSING;
        closeOwner(() -> {});
        if (!spoke) {
            closeSocket();
            return;
        }
        output.method(
                0,
                new ConnectionMethod.Close(
                        code.code(),
                        Fields.shorten(AmqpException.replyText(code, what)),
                        methodId >>> 16,
                        methodId & 0xFFFF));
        turn.written(this);
        context.channel().eventLoop().schedule(() -> context.close(), CLOSE_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void closeOwner(Runnable then) {
        if (ownerClosed) {
            then.run();
            return;
        }
        ownerClosed = true;
        channels.values().forEach(AmqpChannel::gone);
        channels.clear();
        this.<Integer>ask(
                null, reply -> new Command.CloseOwner(this, reply), count -> then.run(), refused -> then.run());
    }

    /** Writes what there is, and closes. */
    void closeSocket() {
        if (state == State.CLOSED) {
            return;
        }
        output.flush();
        state = State.CLOSED;
        context.writeAndFlush(io.netty.buffer.Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    /** The socket is closed. */
    private void gone() {
        if (handshake.begun() && !ownerClosed) {
            handOver();
            closeOwner(() -> {});
        }
        state = State.CLOSED;
        Connections.Registration entry = shown;
        if (entry != null) {
            entry.close();
        }
        output.drop();
        if (kept != null && !parsing) {
            kept.release();
            kept = null;
        }
        incoming.gone();
        handshake.gone();
        server.gone(this);
    }

    /** The channel is closed by agreement. */
    void forget(AmqpChannel channel) {
        channels.remove(channel.number());
    }
}
