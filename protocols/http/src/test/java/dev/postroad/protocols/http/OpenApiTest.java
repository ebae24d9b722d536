package dev.postroad.protocols.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.runtime.Broker;
import dev.postroad.engine.runtime.BrokerSettings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class OpenApiTest {

    private final JsonNode document = read();

    private static JsonNode read() {
        try {
            return Fixture.JSON.readTree(Monitoring.openApi());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Router.Route> routes() throws IOException {
        try (Broker broker = Broker.open(BrokerSettings.memory(256L << 20))) {
            return HttpProtocol.routes(broker);
        }
    }

    @Test
    void whatIsDocumentedIsThereAndWhatIsThereIsDocumented() throws IOException {
        Set<String> documented = new TreeSet<>();
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .propertyNames()
                        .forEach(method -> documented.add(method.toUpperCase(Locale.ROOT) + " " + path.getKey())));
        Set<String> offered = new TreeSet<>();
        routes().forEach(route -> offered.add(route.method() + " " + route.template()));
        assertThat(documented).isEqualTo(offered);
    }

    @Test
    void theQueryParametersOfEachRouteAreDocumentedExactly() throws IOException {
        for (Router.Route route : routes()) {
            Set<String> documented = new TreeSet<>();
            JsonNode operation = document.path("paths")
                    .path(route.template())
                    .path(route.method().toLowerCase(Locale.ROOT));
            for (JsonNode parameter : operation.path("parameters")) {
                if (parameter.path("in").stringValue().equals("query")) {
                    documented.add(parameter.path("name").stringValue());
                }
            }
            assertThat(documented).as(route.method() + " " + route.template()).isEqualTo(new TreeSet<>(route.query()));
        }
    }

    @Test
    void theSettingsOfAMessageAndOfAChannelAreDocumentedExactly() {
        JsonNode schemas = document.path("components").path("schemas");
        assertThat(names(schemas.path("Message"))).isEqualTo(new TreeSet<>(MessageJson.NAMES));
        assertThat(names(schemas.path("ChannelSettings")))
                .isEqualTo(new TreeSet<>(dev.postroad.engine.channel.ChannelSettings.NAMES));
        assertThat(names(schemas.path("ChannelSettings").path("properties").path("retry")))
                .isEqualTo(new TreeSet<>(dev.postroad.engine.channel.ChannelSettings.RETRY));
    }

    private static Set<String> names(JsonNode schema) {
        return new TreeSet<>(schema.path("properties").propertyNames());
    }

    @Test
    void everyReferenceLeadsSomewhere() {
        List<String> references = new ArrayList<>();
        collect(document, references);
        assertThat(references).isNotEmpty();
        for (String reference : references) {
            assertThat(document.at(reference.substring(1)).isMissingNode())
                    .as(reference)
                    .isFalse();
        }
    }

    private static void collect(JsonNode node, List<String> references) {
        if (node.path("$ref").isString()) {
            references.add(node.path("$ref").stringValue());
        }
        node.forEach(child -> collect(child, references));
    }

    @Test
    void theServerHandsItOut() throws IOException {
        try (Fixture server = Fixture.inMemory()) {
            assertThat(server.get("/api/v1/openapi.json")
                            .expect(200)
                            .json()
                            .path("openapi")
                            .stringValue())
                    .isEqualTo("3.1.0");
        }
    }
}
