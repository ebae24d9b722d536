package dev.postroad.protocols.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class JsonTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static JsonNode read(byte[] bytes) {
        return Json.read(bytes, 0, bytes.length, "the body");
    }

    private static JsonNode read(String text) {
        return read(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void whatIsNotInUtf8IsRefusedAndSaysSo() {
        byte[] body = "{\"name\":\"x\"}".getBytes(StandardCharsets.UTF_8);
        body[9] = (byte) 0xff;
        assertThatThrownBy(() -> read(body))
                .isInstanceOf(Problem.class)
                .hasMessageContaining("the body")
                .hasMessageContaining("UTF-8");
    }

    @Test
    void aPartOfTheBytesIsReadAndAMarkBeforeItIsPassedOver() {
        byte[] bytes = "junk{\"ü\":1}junk".getBytes(StandardCharsets.UTF_8);
        assertThat(Json.read(bytes, 4, bytes.length - 8, "it").path("ü").intValue())
                .isEqualTo(1);
        assertThat(read("\ufeff{\"a\":2}").path("a").intValue()).isEqualTo(2);
    }

    @Test
    void aNameThatNobodyHasSentBeforeCostsNoMoreThanOthers() {
        for (int i = 0; i < 20_000; i++) {
            read("{\"name-" + i + "\":true}");
        }
        byte[] one = "{\"another-name\":true}".getBytes(StandardCharsets.UTF_8);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        read(one);
        assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(64 * 1024);
    }
}
