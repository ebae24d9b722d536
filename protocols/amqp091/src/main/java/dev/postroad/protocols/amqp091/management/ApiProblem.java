package dev.postroad.protocols.amqp091.management;

/** What a client is told in RabbitMQ's form: a word and a reason. */
final class ApiProblem extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String error;

    ApiProblem(int status, String error, String reason) {
        super(reason, null, false, false);
        this.status = status;
        this.error = error;
    }

    static ApiProblem bad(String reason) {
        return new ApiProblem(400, "bad_request", reason);
    }

    static ApiProblem notFound() {
        return new ApiProblem(404, "Object Not Found", "Not Found");
    }

    static ApiProblem notAllowed(String reason) {
        return new ApiProblem(401, "not_authorised", reason);
    }

    static ApiProblem notSupported(String reason) {
        return new ApiProblem(400, "not_supported", reason);
    }

    int status() {
        return status;
    }

    String error() {
        return error;
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
