package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.FreePort;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UnreachableIT {
    @ParameterizedTest
    @ValueSource(strings = {"channels", "send c --message x", "receive c"})
    void whereNobodyListensIsUnavailableAndSaysWhatToDo(String command) {
        String url = "http://127.0.0.1:" + FreePort.find();

        Command.Result result = Command.run((command + " --url " + url).split(" "));

        assertThat(result.exitCode()).as(result.err()).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(result.err()).contains("no server answers at " + url, "postroad serve", "--data");
    }
}
