package dev.postroad.patterns.claimcheck;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** By the examples of AWS: "Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference. */
class SignatureV4Test {
    private static final SignatureV4 EXAMPLE =
            new SignatureV4("us-east-1", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    private static final Instant TIME = Instant.parse("2013-05-24T00:00:00Z");
    private static final String HOST = "examplebucket.s3.amazonaws.com";

    @Test
    void the_example_of_getting_an_object() {
        assertThat(EXAMPLE.sign("GET", "/test.txt", "", Map.of("host", HOST, "range", "bytes=0-9"), new byte[0], TIME)
                        .get("authorization"))
                .endsWith("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    }

    @Test
    void the_example_of_listing_objects() {
        assertThat(EXAMPLE.sign("GET", "/", "max-keys=2&prefix=J", Map.of("host", HOST), new byte[0], TIME)
                        .get("authorization"))
                .endsWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
    }

    @Test
    void the_secret_does_not_show() {
        assertThat(EXAMPLE.toString()).doesNotContain("wJalrXUtn");
    }
}
