package dev.postroad.protocols.amqp091.management;

import dev.postroad.engine.EngineException;
import dev.postroad.protocols.amqp091.Declarations.Bound;
import dev.postroad.security.AccessException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Definitions as RabbitMQ exports them: users, virtual hosts, policies, exchanges, queues and bindings. An import applies what can be
 * applied, and lists the rest with reasons: nothing is dropped in silence. What is there already stays.
 */
final class DefinitionsFile {
    /** What other brokers say of themselves. */
    private static final String[] ABOUT = {
        "rabbit_version",
        "rabbitmq_version",
        "product_name",
        "product_version",
        "rabbitmq_definition_format",
        "original_vhost_name",
        "original_cluster_name",
        "explanation",
        "postroad_version",
        "metadata",
        "description"
    };

    private static final String OPERATORS = "operator_policy";

    private final Objects objects;
    private final PolicyObjects policies;
    private final Users users;
    private final ManagementSettings settings;

    DefinitionsFile(Objects objects, PolicyObjects policies, Users users, ManagementSettings settings) {
        this.objects = objects;
        this.policies = policies;
        this.users = users;
        this.settings = settings;
    }

    // ── Export ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /** All that is durable, or what a virtual host has of it, then without its name. */
    Map<String, @Nullable Object> export(Snapshot snapshot, @Nullable String only) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("rabbit_version", Overview.MODEL);
        if (only == null) {
            json.put("rabbitmq_version", Overview.MODEL);
            json.put("product_name", "Postroad");
            json.put("product_version", settings.version());
            json.put("users", users.list());
            json.put(
                    "vhosts",
                    settings.virtualHosts().stream()
                            .map(name -> Map.of("name", name))
                            .toList());
            json.put("permissions", users.permissions(null, null));
            json.put("topic_permissions", List.of());
            json.put("global_parameters", List.of());
        }
        json.put("parameters", operators(only));
        List<Map<String, @Nullable Object>> policyList = new ArrayList<>();
        for (Map<String, @Nullable Object> policy : policies.list(false, only)) {
            policyList.add(members(policy, only, "vhost", "name", "pattern", "apply-to", "definition", "priority"));
        }
        json.put("policies", policyList);
        List<Map<String, @Nullable Object>> queues = new ArrayList<>();
        List<Map<String, @Nullable Object>> exchanges = new ArrayList<>();
        List<Map<String, @Nullable Object>> bindings = new ArrayList<>();
        for (String vhost : only == null ? settings.virtualHosts() : List.of(only)) {
            for (Map<String, @Nullable Object> queue : snapshot.queues(vhost)) {
                if (!Boolean.TRUE.equals(queue.get("exclusive"))) {
                    queues.add(members(queue, only, "name", "vhost", "durable", "auto_delete", "arguments"));
                }
            }
            for (Map<String, @Nullable Object> exchange : snapshot.exchanges(List.of(vhost))) {
                String name = String.valueOf(exchange.get("name"));
                if (!name.isEmpty() && !name.startsWith("amq.")) {
                    exchanges.add(members(
                            exchange,
                            only,
                            "name",
                            "vhost",
                            "type",
                            "durable",
                            "auto_delete",
                            "internal",
                            "arguments"));
                }
            }
            for (Bound binding : snapshot.bindings(vhost)) {
                if (!binding.source().isEmpty()) {
                    bindings.add(members(
                            Snapshot.json(binding),
                            only,
                            "source",
                            "vhost",
                            "destination",
                            "destination_type",
                            "routing_key",
                            "arguments"));
                }
            }
        }
        json.put("queues", queues);
        json.put("exchanges", exchanges);
        json.put("bindings", bindings);
        return json;
    }

    /** RabbitMQ writes operator policies among its parameters. */
    private List<Map<String, @Nullable Object>> operators(@Nullable String only) {
        List<Map<String, @Nullable Object>> parameters = new ArrayList<>();
        for (Map<String, @Nullable Object> policy : policies.list(true, only)) {
            Map<String, @Nullable Object> json = members(policy, only, "vhost", "name");
            json.put("component", OPERATORS);
            json.put("value", members(policy, null, "pattern", "apply-to", "definition", "priority"));
            parameters.add(json);
        }
        return parameters;
    }

    private static Map<String, @Nullable Object> members(
            Map<String, @Nullable Object> of, @Nullable String vhost, String... names) {
        Map<String, @Nullable Object> some = new LinkedHashMap<>();
        for (String name : names) {
            if (vhost == null || !name.equals("vhost")) {
                some.put(name, of.get(name));
            }
        }
        return some;
    }

    // ── Import ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /** What could not be applied, as {@code what: why}. */
    List<String> apply(ManagementJson body, @Nullable String only) {
        Import run = new Import(only);
        body.ignore(ABOUT);
        run.each(body, "vhosts", this::vhost);
        run.each(body, "users", user -> users.put(user.text("name", null), user));
        run.each(body, "permissions", this::permission);
        // Before what they hold for: nothing is ever wider than it may be.
        run.each(body, "policies", policy -> {
            String name = policy.text("name", null);
            policies.put(false, run.vhost(policy), name, policy);
        });
        run.each(body, "parameters", parameter -> parameter(run.vhost(parameter), parameter));
        for (String unsupported : List.of("topic_permissions", "global_parameters")) {
            for (ManagementJson item : body.list(unsupported)) {
                Object name = item.take("name");
                if (!"internal_cluster_id".equals(name) && !"cluster_name".equals(name)) {
                    run.notApplied.add(item.what() + (name == null ? "" : " '" + name + "'") + ": not supported here");
                }
            }
        }
        run.each(
                body,
                "exchanges",
                exchange -> objects.declare(
                        objects.readExchange(run.vhost(exchange), exchange.text("name", null), exchange)));
        run.each(
                body,
                "queues",
                queue -> objects.declare(objects.readQueue(run.vhost(queue), queue.text("name", null), queue)));
        run.each(body, "bindings", binding -> bind(run.vhost(binding), binding));
        for (String unknown : body.names()) {
            run.notApplied.add("'" + unknown + "': not known");
        }
        return run.notApplied;
    }

    private void vhost(ManagementJson vhost) {
        String name = vhost.text("name", null);
        if (!settings.virtualHosts().contains(name)) {
            throw noVhost(name);
        }
    }

    private static ApiProblem noVhost(String name) {
        return ApiProblem.notSupported(
                "there is no virtual host '" + name + "'; name it in the configuration, 'server.amqp.virtual-hosts'");
    }

    private void permission(ManagementJson permission) {
        String user = permission.text("user", null);
        String vhost = permission.text("vhost", "/");
        if (!settings.virtualHosts().contains(vhost)) {
            throw noVhost(vhost);
        }
        users.find(user);
        users.setPermissions(user, vhost, permission);
    }

    private void parameter(String vhost, ManagementJson parameter) {
        String component = parameter.text("component", null);
        String name = parameter.text("name", null);
        if (!component.equals(OPERATORS)) {
            throw ApiProblem.notSupported("'" + name + "' of component '" + component + "': not supported here");
        }
        Object value = parameter.take("value");
        parameter.requireNothingLeft();
        policies.put(true, vhost, name, ManagementJson.of(parameter.what() + ": 'value'", value));
    }

    private void bind(String vhost, ManagementJson binding) {
        String type = binding.text("destination_type", "queue");
        Bound bound = new Bound(
                vhost,
                binding.text("source", null),
                binding.text("destination", null),
                type.equals("exchange"),
                binding.text("routing_key", ""),
                binding.table("arguments"));
        binding.ignore("properties_key");
        binding.requireNothingLeft();
        objects.bind(bound);
    }

    /** One import. */
    private final class Import {
        private final List<String> notApplied = new ArrayList<>();
        private final @Nullable String only;

        Import(@Nullable String only) {
            this.only = only;
        }

        String vhost(ManagementJson item) {
            String name = item.text("vhost", only == null ? "/" : only);
            if (only != null && !only.equals(name)) {
                throw ApiProblem.bad("it is of virtual host '" + name + "', not of '" + only + "'");
            }
            if (!settings.virtualHosts().contains(name)) {
                throw noVhost(name);
            }
            return name;
        }

        void each(ManagementJson body, String list, Consumer<ManagementJson> apply) {
            for (ManagementJson item : body.list(list)) {
                String name = item.what();
                try {
                    apply.accept(item);
                } catch (ApiProblem e) {
                    notApplied.add(name + ": " + e.reason());
                } catch (EngineException | AccessException | IllegalArgumentException e) {
                    notApplied.add(name + ": " + e.getMessage());
                }
            }
        }
    }
}
