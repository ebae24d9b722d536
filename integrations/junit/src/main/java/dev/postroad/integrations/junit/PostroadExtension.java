package dev.postroad.integrations.junit;

import dev.postroad.api.Postroad;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;
import org.junit.platform.commons.support.AnnotationSupport;

/** Starts a broker for each test, hands it over, closes it, and explains failures. Used by {@link PostroadTest}. */
public final class PostroadExtension
        implements ParameterResolver,
                TestExecutionExceptionHandler,
                LifecycleMethodExecutionExceptionHandler,
                TestTemplateInvocationContextProvider {
    private static final Namespace NAMESPACE = Namespace.create(PostroadExtension.class);
    private static final String SEED_PROPERTY = "postroad.seed";

    /** For JUnit. */
    public PostroadExtension() {}

    // ── Parameters ───────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        return context.getTestMethod().isPresent()
                && (type == TestBroker.class
                        || type == Postroad.class
                        || type == Clock.class
                        || type == TestClock.class);
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        TestBroker broker = broker(context);
        Class<?> type = parameter.getParameter().getType();
        if (type == Postroad.class) {
            return broker.postroad();
        }
        return type == TestBroker.class ? broker : broker.clock();
    }

    /** The test's own: JUnit closes what lies in the store of its context. */
    private static TestBroker broker(ExtensionContext context) {
        return context.getStore(NAMESPACE)
                .computeIfAbsent(
                        "broker", key -> TestBroker.start(Faults.of(seed(context), faults(context))), TestBroker.class);
    }

    private static long seed(ExtensionContext context) {
        String asked = System.getProperty(SEED_PROPERTY);
        if (asked != null) {
            return Long.parseLong(asked.trim());
        }
        Long invocation = context.getStore(NAMESPACE).get("seed", Long.class);
        if (invocation != null) {
            return invocation;
        }
        long said = postroadTest(context).map(PostroadTest::seed).orElse(0L);
        return said != 0 ? said : new SecureRandom().nextInt(1, Integer.MAX_VALUE);
    }

    private static Fault[] faults(ExtensionContext context) {
        Optional<SeededTest> seeded = seededTest(context);
        if (seeded.isPresent() && seeded.get().faults().length > 0) {
            return seeded.get().faults();
        }
        Optional<PostroadTest> annotation = postroadTest(context);
        if (annotation.isPresent() && (annotation.get().faults().length > 0 || seeded.isEmpty())) {
            return annotation.get().faults();
        }
        return seeded.isPresent() ? Fault.values() : new Fault[0];
    }

    private static Optional<PostroadTest> postroadTest(ExtensionContext context) {
        return AnnotationSupport.findAnnotation(context.getTestMethod(), PostroadTest.class)
                .or(() -> AnnotationSupport.findAnnotation(context.getTestClass(), PostroadTest.class));
    }

    private static Optional<SeededTest> seededTest(ExtensionContext context) {
        return AnnotationSupport.findAnnotation(context.getTestMethod(), SeededTest.class);
    }

    // ── Many seeds ───────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return seededTest(context).isPresent();
    }

    @Override
    public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
        int runs = seededTest(context).orElseThrow().runs();
        if (runs < 1 || runs > 100_000) {
            throw new IllegalArgumentException("runs is " + runs + "; it must be 1 to 100,000");
        }
        String asked = System.getProperty(SEED_PROPERTY);
        LongStream seeds =
                asked == null ? LongStream.rangeClosed(1, runs) : LongStream.of(Long.parseLong(asked.trim()));
        return seeds.mapToObj(Seeded::new);
    }

    /** One run of a test with one seed. */
    private record Seeded(long seed) implements TestTemplateInvocationContext {
        @Override
        public String getDisplayName(int index) {
            return "seed " + seed;
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return List.of((org.junit.jupiter.api.extension.BeforeEachCallback)
                    context -> context.getStore(NAMESPACE).put("seed", seed));
        }
    }

    // ── Failures ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        throw explained(context, failure);
    }

    @Override
    public void handleAfterEachMethodExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        throw explained(context, failure);
    }

    private static Throwable explained(ExtensionContext context, Throwable failure) {
        TestBroker broker = context.getStore(NAMESPACE).get("broker", TestBroker.class);
        if (broker == null || failure instanceof org.opentest4j.TestAbortedException) {
            return failure;
        }
        AssertionError explained = new AssertionError(
                failure.getMessage() + "\n\nWhat happened, with " + broker.explain(failure) + "\n\nRun it again with -D"
                        + SEED_PROPERTY + "=" + broker.faults().seed(),
                failure);
        explained.setStackTrace(failure.getStackTrace());
        return explained;
    }
}
