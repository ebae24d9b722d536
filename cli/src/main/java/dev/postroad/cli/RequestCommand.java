package dev.postroad.cli;

import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code request}: sends a request and prints its reply. */
@Command(
        name = "request",
        header = "Send a request and print its reply.",
        description = {"", "The request is not delivered any more once its time is over; the exit code is 124 then.", ""
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  postroad request price-of 'three books'",
            "  postroad request price-of --timeout 2s --format json < basket.json"
        })
final class RequestCommand implements Callable<Integer> {
    private static final Duration GRACE = Duration.ofSeconds(2);

    @Mixin
    private BrokerOptions broker = new BrokerOptions();

    @Parameters(index = "0", paramLabel = "CHANNEL", description = "Where to; a channel of kind request.")
    private String channel = "";

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "VALUE",
            description = "The request; without it all of stdin.")
    private @Nullable String value;

    @Mixin
    private MessageOptions options = new MessageOptions();

    @Option(names = "--timeout", paramLabel = "TIME", description = "How long to wait. Default: as the channel says.")
    private @Nullable Duration timeout;

    @Option(names = "--format", paramLabel = "FORMAT", description = "value, or json: the whole reply. Default: value.")
    private ReceiveCommand.MessageFormat format = ReceiveCommand.MessageFormat.VALUE;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Message<byte[], byte[]> request = options.template();
        if (timeout != null) {
            if (timeout.toMillis() < 1) {
                throw new CliException(ExitCode.USAGE, "--timeout is 0; it must be 1ms or more");
            }
            request = request.withTtl(timeout);
        }
        byte[] bytes = value == null ? System.in.readAllBytes() : value.getBytes(StandardCharsets.UTF_8);
        try (Link link = broker.open()) {
            Duration patience = timeout != null ? timeout : timeoutOf(link);
            Message<byte[], byte[]> reply = link.postroad()
                    .request(channel, request.withKeyAndValue(request.key(), bytes), Format.bytes(), Format.bytes())
                    .get(patience.plus(GRACE).toMillis(), TimeUnit.MILLISECONDS);
            print(reply);
            return ExitCode.OK;
        } catch (TimeoutException e) {
            throw new CliException(ExitCode.TIMEOUT, "no reply came from '" + channel + "' in time", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof MessagingException refused) {
                throw refused;
            }
            throw new CliException(ExitCode.FAILED, "the request failed: " + e.getCause(), e);
        }
    }

    private Duration timeoutOf(Link link) {
        return link.postroad()
                .find(channel)
                .map(declared -> declared.timeout() == null ? Duration.ofSeconds(30) : declared.timeout())
                .orElseThrow(() -> new CliException(
                        ExitCode.NOT_FOUND,
                        "there is no channel '" + channel + "'; postroad channels lists those there are"));
    }

    private void print(Message<byte[], byte[]> reply) {
        PrintStream out = Terminal.out();
        if (format == ReceiveCommand.MessageFormat.JSON) {
            Json.printLine(out, MessageJson.of(reply));
            return;
        }
        byte @Nullable [] bytes = reply.value();
        if (bytes != null) {
            out.write(bytes, 0, bytes.length);
        }
        out.println();
    }
}
