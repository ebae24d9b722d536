package dev.postroad.transports.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Capability.Support;
import dev.postroad.api.Channel;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Postroad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EmbeddedUrlTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    embedded:                          | a directory must follow
                    embedded:?cacheBytes=1             | a directory must follow
                    embedded://host/data               | a path must follow the colon at once
                    embedded:memory:shop               | memory has no names
                    embedded:memory?cashBytes=1        | no option 'cashBytes' here; there are cacheBytes, indexBytes, maxBytes
                    embedded:data?maxBytes=1           | no option 'maxBytes' here; there are cacheBytes, indexBytes
                    embedded:memory?cacheBytes         | 'cacheBytes'
                    embedded:memory?cacheBytes=0       | must be given once, with a size of 1 byte or more
                    embedded:memory?cacheBytes=-1      | 'cacheBytes'
                    embedded:memory?cacheBytes=much    | 'cacheBytes'
                    embedded:memory?indexBytes=1MiB&indexBytes=2MiB | must be given once
                    embedded:memory?                   | no option ''
                    """)
    void aUrlThatIsNotUnderstoodIsRefusedWithWhatIsWrong(String url, String why) {
        assertThatThrownBy(() -> Postroad.connect(url))
                .isInstanceOfSatisfying(
                        MessagingException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID))
                .hasMessageContaining(url)
                .hasMessageContaining(why);
    }

    @Test
    void sizesMayHaveUnits() {
        try (Postroad postroad = Postroad.connect("embedded:memory?cacheBytes=8MiB&indexBytes=64MiB&maxBytes=256MiB")) {
            postroad.declare(Channel.command("orders"));
            assertThat(postroad.find("orders")).isPresent();
        }
    }

    @Test
    void memoryIsNewEachTimeAndSaysThatItDoesNotLast() {
        try (Postroad one = Postroad.connect("embedded:memory");
                Postroad other = Postroad.connect("embedded:memory")) {
            one.declare(Channel.command("orders"));
            assertThat(other.find("orders")).isEmpty();
            assertThat(one.transport().capabilities().get(Need.DURABLE).support())
                    .isEqualTo(Support.EMULATED);
        }
    }

    @Test
    void aDirectoryOpenInThisProcessIsRefusedWithAdvice(@TempDir Path directory) {
        String url = "embedded:" + directory.resolve("data");
        try (Postroad first = Postroad.connect(url)) {
            first.declare(Channel.command("orders"));
            assertThatThrownBy(() -> Postroad.connect(url))
                    .isInstanceOfSatisfying(
                            MessagingException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.IN_USE))
                    .hasMessageContaining("in use by this process")
                    .hasMessageContaining("share one connection");
        }
        try (Postroad again = Postroad.connect(url)) {
            assertThat(again.find("orders")).contains(Channel.command("orders"));
        }
    }

    @Test
    void aFileWhereTheDirectoryShouldBeIsRefused(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "not a directory");
        assertThatThrownBy(() -> Postroad.connect("embedded:" + file))
                .isInstanceOf(MessagingException.class)
                .hasMessageContaining(file.toString());
    }
}
