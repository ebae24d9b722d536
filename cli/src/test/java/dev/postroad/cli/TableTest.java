package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TableTest {
    private static String print(Table table) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        table.print(new PrintStream(out, true, StandardCharsets.UTF_8));
        return out.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }

    @Test
    void columnsAlignAndNumbersStandToTheRight() {
        Table table = new Table("name", ">ready").row("orders", "1,234").row("a", "7");

        assertThat(print(table)).isEqualTo("""
                        NAME    READY
                        orders  1,234
                        a           7
                        """);
    }

    @Test
    void wideCharactersTakeTwoColumnsAndCombiningOnesNone() {
        assertThat(Table.width("你好")).isEqualTo(4);
        assertThat(Table.width("e\u0301")).isEqualTo(1);
        assertThat(Table.width("🙂")).isEqualTo(2);
        assertThat(Table.cut("你好你好", 6)).isEqualTo("你好…");
    }

    @Test
    void whatWouldMoveTheCursorIsShownAsASpace() {
        assertThat(print(new Table("x").row("a\u001b[2Jb\nc"))).isEqualTo("X\na [2Jb c\n");
    }
}
