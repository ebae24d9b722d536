package dev.postroad.integrations.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test that runs with many seeds, each on a broker of its own: see {@link PostroadTest} for its parameters. With {@code
 * -Dpostroad.seed=N} it runs with that seed alone.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@TestTemplate
@ExtendWith(PostroadExtension.class)
public @interface SeededTest {
    /** How many seeds: 1, 2, 3 and so on. 1 to 100,000. */
    int runs() default 20;

    /** Faults that strike, each at its default rate; where empty, those of the class's {@link PostroadTest}, else all. */
    Fault[] faults() default {};
}
