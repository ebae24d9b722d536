package dev.postroad.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.assertj.core.api.AbstractStringAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What a refused call says. */
final class Failures {
    private Failures() {}

    /** The message of the {@link MessagingException} that the call throws for this reason. */
    static AbstractStringAssert<?> assertRefused(MessagingException.Reason reason, ThrowingCallable call) {
        MessagingException failure = catchThrowableOfType(MessagingException.class, call);
        assertThat(failure).as("a failure with reason " + reason).isNotNull();
        assertThat(failure.reason()).as(failure.getMessage()).isEqualTo(reason);
        return assertThat(failure.getMessage());
    }
}
