package dev.postroad.protocols.amqp091.management;

import dev.postroad.engine.Command;
import dev.postroad.engine.Definition;
import dev.postroad.engine.Policy;
import dev.postroad.engine.PolicySet;
import dev.postroad.engine.Reply;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.protocols.amqp091.Policies;
import dev.postroad.protocols.amqp091.Policies.Declared;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Lists, sets and deletes policies and operator policies. */
final class PolicyObjects {
    private final Broker broker;

    PolicyObjects(Broker broker) {
        this.broker = broker;
    }

    /** In order of their hosts and names. */
    List<Map<String, @Nullable Object>> list(boolean operator, @Nullable String vhost) {
        List<Declared> found = new ArrayList<>();
        for (Policy policy : broker.policies().all()) {
            Declared declared = Policies.of(policy);
            if (policy.operator() == operator && (vhost == null || vhost.equals(declared.vhost()))) {
                found.add(declared);
            }
        }
        found.sort(Comparator.comparing(Declared::vhost).thenComparing(Declared::name));
        return found.stream().map(PolicyObjects::json).toList();
    }

    Map<String, @Nullable Object> find(boolean operator, String vhost, String name) {
        Policy policy = broker.policies().get(operator, Policies.inEngine(vhost, name));
        if (policy == null) {
            throw ApiProblem.notFound();
        }
        return json(Policies.of(policy));
    }

    /** True if it is new. */
    boolean put(boolean operator, String vhost, String name, ManagementJson body) {
        Policy policy = Policies.toPolicy(new Declared(
                vhost,
                name,
                operator,
                body.text("pattern", null),
                body.text("apply-to", "all"),
                body.number("priority", Integer.MIN_VALUE, Integer.MAX_VALUE, 0),
                body.table("definition")));
        body.ignore("vhost", "name");
        body.requireNothingLeft();
        return broker.await((Reply<Boolean> reply) -> new Command.SetPolicy(policy, reply));
    }

    void delete(boolean operator, String vhost, String name) {
        String inEngine = Policies.inEngine(vhost, name);
        if (!broker.await((Reply<Boolean> reply) -> new Command.DeletePolicy(operator, inEngine, reply))) {
            throw ApiProblem.notFound();
        }
    }

    static Map<String, @Nullable Object> json(Declared policy) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("vhost", policy.vhost());
        json.put("name", policy.name());
        json.put("pattern", policy.pattern());
        json.put("apply-to", policy.applyTo());
        json.put("definition", policy.definition());
        json.put("priority", policy.priority());
        return json;
    }

    /** Adds which policies hold for what was declared. */
    static void add(Map<String, @Nullable Object> json, PolicySet policies, Definition declared) {
        Policy policy = policies.of(declared, false);
        Policy operators = policies.of(declared, true);
        json.put("policy", policy == null ? null : Policies.of(policy).name());
        json.put(
                "operator_policy",
                operators == null ? null : Policies.of(operators).name());
        json.put("effective_policy_definition", Policies.together(policy, operators));
    }
}
