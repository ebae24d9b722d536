package dev.postroad.integrations.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives each test of a class, or one test, a broker of its own: as a parameter of type {@link TestBroker}, {@link
 * dev.postroad.api.Postroad}, or {@link java.time.Clock}. A test that fails prints its seed and the story of the messages it is
 * about; {@code -Dpostroad.seed=N} runs it with that seed again.
 *
 * <pre>{@code
 *   @PostroadTest(faults = {Fault.DUPLICATE, Fault.CRASH_BEFORE_SETTLE})
 *   class CheckoutTest {
 *       @Test
 *       void each_order_is_paid_once(TestBroker broker) { … }
 *   }
 * }</pre>
 *
 * To try a test on many seeds, put {@link SeededTest} in place of {@code @Test}.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
@ExtendWith(PostroadExtension.class)
public @interface PostroadTest {
    /** Faults that strike, each at its default rate; none by default. */
    Fault[] faults() default {};

    /** The seed of a {@code @Test}; 0 for another at each run, which a failure prints. */
    long seed() default 0;
}
