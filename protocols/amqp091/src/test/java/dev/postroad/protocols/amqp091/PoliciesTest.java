package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.Channel;
import dev.postroad.engine.Command;
import dev.postroad.engine.Policy;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.Reply;
import dev.postroad.protocols.amqp091.Policies.Declared;
import dev.postroad.protocols.amqp091.management.ManagementApi;
import dev.postroad.protocols.amqp091.management.ManagementSettings;
import dev.postroad.security.User;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Policies as RabbitMQ's tools say them. */
class PoliciesTest {
    private static Declared declared(String vhost, String applyTo, Map<String, @Nullable Object> definition) {
        return new Declared(vhost, "p", false, "^q", applyTo, 3, definition);
    }

    @Test
    void keys_mean_what_the_arguments_of_their_names_mean() {
        Policy policy = Policies.toPolicy(declared(
                "/",
                "queues",
                Map.of(
                        "message-ttl", 0L,
                        "expires", 5L,
                        "max-length", 6L,
                        "max-length-bytes", 7L,
                        "delivery-limit", 8L,
                        "max-age", "2m",
                        "overflow", "reject-publish-dlx",
                        "dead-letter-exchange", "dlx",
                        "queue-mode", "lazy")));
        assertThat(policy.name()).isEqualTo("p");
        assertThat(policy.priority()).isEqualTo(3);
        assertThat(policy.appliesTo()).isEqualTo(Policy.AppliesTo.CHANNELS);
        Policy.Settings settings = policy.settings();
        assertThat(settings.ttlMillis()).isEqualTo(1);
        assertThat(settings.expiresMillis()).isEqualTo(5);
        assertThat(settings.maxMessages()).isEqualTo(6);
        assertThat(settings.maxBytes()).isEqualTo(7);
        assertThat(settings.deliveryLimit()).isEqualTo(9);
        assertThat(settings.maxAgeMillis()).isEqualTo(120_000);
        assertThat(settings.overflow()).isEqualTo(Overflow.DEAD_LETTER_NEWEST);
        assertThat(settings.deadLetter()).isEqualTo(new DeadLetterTarget("dlx", null));
    }

    @Test
    void what_was_declared_reads_back_as_it_was_in_its_own_virtual_host() {
        for (String vhost : List.of("/", "billing", "a:b%")) {
            Declared declared = declared(vhost, "all", Map.of("alternate-exchange", "ae", "max-length", 4L));
            Policy policy = Policies.toPolicy(declared);
            assertThat(Policies.of(policy)).isEqualTo(declared);
            assertThat(policy.settings().alternate())
                    .isEqualTo(VirtualHost.named(vhost).inEngine("ae"));
            assertThat(VirtualHost.of(policy.name()).name()).isEqualTo(vhost);
        }
    }

    @Test
    void what_something_else_made_reads_as_keys() {
        Policy policy = new Policy(
                "p",
                false,
                Policy.Scope.ALL,
                "x",
                Policy.AppliesTo.ALL,
                0,
                new Policy.Settings(
                        1, 2, 3, 4, Overflow.DROP_OLDEST, DeadLetterTarget.channel("d"), 6, 7_000, "ae", null));
        Map<String, @Nullable Object> keys = Policies.of(policy).definition();
        assertThat(keys)
                .containsEntry("message-ttl", 1L)
                .containsEntry("expires", 2L)
                .containsEntry("max-length", 3L)
                .containsEntry("max-length-bytes", 4L)
                .containsEntry("overflow", "drop-head")
                .containsEntry("dead-letter-exchange", "")
                .containsEntry("dead-letter-routing-key", "d")
                .containsEntry("delivery-limit", 5L)
                .containsEntry("max-age", "7s")
                .containsEntry("alternate-exchange", "ae");
    }

    @Test
    void what_is_unknown_wrong_or_can_not_apply_is_refused_by_name() {
        refused("invalid arg 'ha-mode' for policy 'p' in vhost '/'", "all", Map.of("ha-mode", "all"));
        refused("'message-ttl'", "all", Map.of("message-ttl", -1L));
        refused("'max-length'", "all", Map.of("max-length", "5"));
        refused("'overflow'", "all", Map.of("overflow", "drop-tail"));
        refused("routing_key_but_no_dlx_defined", "all", Map.of("dead-letter-routing-key", "k"));
        refused("apply-to is 'classic_queues'", "classic_queues", Map.of("max-length", 5L));
        refused("it sets nothing", "all", Map.of());
        refused("alternate", "queues", Map.of("alternate-exchange", "ae"));
        assertThatThrownBy(() ->
                        Policies.toPolicy(new Declared("/", "p", true, "", "all", 0, Map.of("overflow", "drop-head"))))
                .hasMessageContaining("'overflow' for operator policy");
    }

    private static void refused(String what, String applyTo, Map<String, @Nullable Object> definition) {
        assertThatThrownBy(() -> Policies.toPolicy(declared("/", applyTo, definition)))
                .isInstanceOf(RuntimeException.class)
                .hasMessageContaining(what);
    }

    @Test
    void of_two_kinds_of_policies_the_smaller_bound_is_shown() {
        Policy policy = Policies.toPolicy(declared("/", "all", Map.of("max-length", 9L, "overflow", "drop-head")));
        Policy operators =
                Policies.toPolicy(new Declared("/", "o", true, "", "all", 0, Map.of("max-length", 5L, "expires", 3L)));
        assertThat(Policies.together(policy, operators))
                .isEqualTo(Map.of("max-length", 5L, "overflow", "drop-head", "expires", 3L));
    }

    // ── With a server ────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void a_bound_for_a_queue_that_said_none_drops_its_head_or_refuses_as_the_policy_says() throws Exception {
        try (AmqpRig rig = new AmqpRig()) {
            Channel channel = rig.channel();
            channel.queueDeclare("q1", true, false, false, Map.of());
            AmqpRig.publish(channel, "q1", "1", "2", "3");
            set(rig, Map.of("max-length", 2L));
            AmqpRig.publish(channel, "q1", "4");
            assertThat(channel.queueDeclare("q1", true, false, false, Map.of()).getMessageCount())
                    .isEqualTo(2);
            assertThat(channel.basicGet("q1", true).getBody()).isEqualTo(AmqpRig.bytes("3"));

            set(rig, Map.of("max-length", 1L, "overflow", "reject-publish"));
            channel.basicPublish("", "q1", null, AmqpRig.bytes("refused"));
            assertThat(channel.waitForConfirms(20_000)).isFalse();
            Channel plain = rig.channel();
            plain.basicPublish("", "q1", null, AmqpRig.bytes("refused and nobody asked"));
            assertThat(plain.queueDeclarePassive("q1").getMessageCount()).isEqualTo(1);
        }
    }

    private static void set(AmqpRig rig, Map<String, @Nullable Object> definition) {
        Policy policy = Policies.toPolicy(declared("/", "queues", definition));
        rig.broker.await((Reply<Boolean> reply) -> new Command.SetPolicy(policy, reply));
    }

    @Test
    void tools_set_list_and_delete_policies_and_see_which_holds() throws Exception {
        try (AmqpRig rig = new AmqpRig()) {
            ManagementApi api = new ManagementApi(
                    rig.broker, new ManagementSettings("node", "1", List.of("/"), null, null, 0, List::of));
            rig.channel().queueDeclare("q1", true, false, false, Map.of());

            String policy =
                    "{\"pattern\":\"^q\",\"apply-to\":\"queues\",\"priority\":2,\"definition\":{\"max-length\":7}}";
            assertThat(ask(api, "PUT", "/policies/%2F/short", policy)).startsWith("201");
            assertThat(ask(api, "PUT", "/policies/%2F/short", policy)).startsWith("204");
            assertThat(ask(api, "PUT", "/operator-policies/%2F/most", policy)).startsWith("201");
            assertThat(ask(api, "GET", "/policies", ""))
                    .isEqualTo("200 [{\"vhost\":\"/\",\"name\":\"short\",\"pattern\":\"^q\",\"apply-to\":\"queues\","
                            + "\"definition\":{\"max-length\":7},\"priority\":2}]");
            assertThat(ask(api, "GET", "/policies/%2F/short", "")).contains("\"max-length\":7");
            assertThat(ask(api, "GET", "/queues/%2F/q1", ""))
                    .contains("\"policy\":\"short\"", "\"operator_policy\":\"most\"")
                    .contains("\"effective_policy_definition\":{\"max-length\":7}");
            String exported = ask(api, "GET", "/definitions", "").substring(4);
            assertThat(exported).contains("\"component\":\"operator_policy\"");

            assertThat(ask(api, "DELETE", "/policies/%2F/short", "")).startsWith("204");
            assertThat(ask(api, "DELETE", "/policies/%2F/short", "")).startsWith("404");
            assertThat(ask(api, "DELETE", "/operator-policies/%2F/most", "")).startsWith("204");
            assertThat(ask(api, "GET", "/operator-policies", "")).isEqualTo("200 []");
            String policies = exported.substring(exported.indexOf("\"parameters\""), exported.indexOf(",\"queues\""));
            assertThat(ask(api, "POST", "/definitions", "{" + policies + "}")).startsWith("204");
            assertThat(ask(api, "GET", "/definitions", "")).contains(policies);
        }
    }

    @Test
    void a_key_that_is_not_known_is_named_to_the_tool_and_only_policymakers_may_set_any() throws Exception {
        try (AmqpRig rig = new AmqpRig()) {
            ManagementApi api = new ManagementApi(
                    rig.broker, new ManagementSettings("node", "1", List.of("/"), null, null, 0, List::of));
            String mirrored = "{\"pattern\":\"\",\"definition\":{\"ha-mode\":\"all\"}}";
            assertThat(ask(api, "PUT", "/policies/%2F/ha", mirrored))
                    .startsWith("400")
                    .contains("ha-mode");
            assertThat(ask(api, "PUT", "/policies/%2F/p", "{\"pattern\":\"a)(\",\"definition\":{\"expires\":5}}"))
                    .startsWith("400")
                    .contains("a)(");
            User watcher = new User("w", Set.of("monitoring"));
            assertThat(api.answer("PUT", "/policies/%2F/p", null, bytes(mirrored), watcher)
                            .status())
                    .isEqualTo(401);
            User maker = new User("m", Set.of("policymaker"));
            assertThat(api.answer("PUT", "/operator-policies/%2F/p", null, bytes(mirrored), maker)
                            .status())
                    .isEqualTo(401);
            assertThat(api.answer("GET", "/policies", null, new byte[0], maker).status())
                    .isEqualTo(200);
        }
    }

    private static String ask(ManagementApi api, String method, String path, String body) {
        ManagementApi.Response response = api.answer(method, path, null, bytes(body), User.GUEST);
        return response.status() + " " + new String(response.json(), StandardCharsets.UTF_8);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    // ── Exclusive queues ─────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void only_its_own_connection_binds_unbinds_and_purges_an_exclusive_queue() throws Exception {
        try (AmqpRig rig = new AmqpRig()) {
            Channel own = rig.channel();
            own.queueDeclare("mine", false, true, false, Map.of());
            String locked = "405 RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine' in vhost '/'";
            Channel stranger = rig.channel();
            assertThat(AmqpRig.closed(() -> stranger.queueBind("mine", "amq.direct", "k")))
                    .startsWith(locked);
            own.queueBind("mine", "amq.direct", "k");
            Channel another = rig.channel();
            assertThat(AmqpRig.closed(() -> another.queueUnbind("mine", "amq.direct", "k")))
                    .startsWith(locked);
            Channel third = rig.channel();
            assertThat(AmqpRig.closed(() -> third.queuePurge("mine"))).startsWith(locked);
            AmqpRig.publish(own, "mine", "1", "2");
            assertThat(own.queuePurge("mine").getMessageCount()).isEqualTo(2);
            own.queueUnbind("mine", "amq.direct", "k");
        }
    }
}
