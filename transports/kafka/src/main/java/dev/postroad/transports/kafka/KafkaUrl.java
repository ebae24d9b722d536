package dev.postroad.transports.kafka;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the brokers are and how they are used, from {@code kafka://user:password@host:port,host:port?option=value}.
 *
 * @param shown the url without user, password and options
 * @param servers as {@code bootstrap.servers}
 * @param queuePartitions of topics that are queues
 * @param replication of topics that are created; -1 for what the broker says
 * @param flushed true if a topic for durable channels forces each message to disk; false to rely on replicas
 * @param timeoutMillis how long a call may take
 * @param properties Kafka's own, for all its clients
 */
record KafkaUrl(
        String shown,
        String servers,
        int queuePartitions,
        short replication,
        boolean flushed,
        int timeoutMillis,
        Map<String, String> properties) {
    private static final Pattern FORM = Pattern.compile(
            "(?i)kafka://(?:([^@/?]*)@)?((?:[^:,/?@\\[\\]]+|\\[[0-9a-fA-F:.]+]):\\d{1,5}(?:,(?:[^:,/?@\\[\\]]+|\\[[0-9a-fA-F:.]+]):\\d{1,5})*)/?(?:\\?(.*))?");
    private static final String NATIVE = "kafka.";

    /** Five of a partition are on the wire by default, two may have been confirmed before who waits is woken, and one is filled. */
    private static final long BATCHES_AHEAD = 8;

    /** So that it can be multiplied with a number of partitions. */
    private static final long UNBOUNDED = 1L << 40;

    /** @throws MessagingException {@code INVALID}, without repeating a password */
    static KafkaUrl parse(String url) {
        Matcher form = FORM.matcher(url);
        if (!form.matches()) {
            throw wrong(url, "each broker is HOST:PORT");
        }
        String servers = form.group(2);
        Map<String, String> properties = new TreeMap<>();
        String login = form.group(1);
        if (login != null) {
            int colon = login.indexOf(':');
            if (colon < 0) {
                throw wrong(url, "it names a user without a password");
            }
            properties.put("security.protocol", "SASL_PLAINTEXT");
            properties.put("sasl.mechanism", "PLAIN");
            properties.put(
                    "sasl.jaas.config",
                    "org.apache.kafka.common.security.plain.PlainLoginModule required username=\""
                            + quoted(decoded(login.substring(0, colon))) + "\" password=\""
                            + quoted(decoded(login.substring(colon + 1))) + "\";");
        }
        int queuePartitions = 1;
        int replication = -1;
        boolean flushed = true;
        int timeout = 10;
        String query = form.group(3);
        if (query != null) {
            for (String option : query.split("&", -1)) {
                int equals = option.indexOf('=');
                String name = equals < 0 ? option : option.substring(0, equals);
                String value = equals < 0 ? "" : decoded(option.substring(equals + 1));
                switch (name) {
                    case "queue-partitions" -> queuePartitions = number(url, name, value, 1, 1_000);
                    case "replication" -> replication = number(url, name, value, 1, 100);
                    case "timeout" -> timeout = number(url, name, value, 1, 600);
                    case "durable" -> {
                        if (!value.equals("flushed") && !value.equals("replicated")) {
                            throw wrong(url, "durable is " + value + "; it must be flushed or replicated");
                        }
                        flushed = value.equals("flushed");
                    }
                    default -> {
                        if (!name.startsWith(NATIVE)) {
                            throw wrong(
                                    url,
                                    "it has the option '" + name
                                            + "'; there are queue-partitions, replication, durable, timeout (seconds), and"
                                            + " kafka.NAME for Kafka's own");
                        }
                        properties.put(name.substring(NATIVE.length()), value);
                    }
                }
            }
        }
        return new KafkaUrl(
                "kafka://" + servers,
                servers,
                queuePartitions,
                (short) replication,
                flushed,
                timeout * 1_000,
                Map.copyOf(properties));
    }

    /** Settings of a client; Kafka's own from the url have the last word. */
    Map<String, Object> client(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", servers);
        all.put("client.dns.lookup", "use_all_dns_ips");
        all.put("request.timeout.ms", timeoutMillis);
        all.put("default.api.timeout.ms", timeoutMillis);
        all.put("reconnect.backoff.ms", 50);
        all.put("reconnect.backoff.max.ms", 1_000);
        all.putAll(properties);
        return all;
    }

    /**
     * Bytes to be on their way to a partition at most: what Kafka's client has on the wire by default, and half as much again. Without a
     * bound of ours where it compresses, for then nobody knows how many messages that is.
     *
     * @param batch bytes of a batch where the url does not say, or says fewer
     */
    long sentAhead(int batch) {
        if (!properties.getOrDefault("compression.type", "none").equals("none")) {
            return UNBOUNDED;
        }
        try {
            return BATCHES_AHEAD * Math.max(batch, Integer.parseInt(properties.getOrDefault("batch.size", "0")));
        } catch (NumberFormatException e) {
            // Kafka's client refuses it, and tells why.
            return UNBOUNDED;
        }
    }

    private static String quoted(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"");
    }

    private static int number(String url, String name, String value, int least, int most) {
        int number;
        try {
            number = Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw wrong(url, name + " is '" + value + "'; it must be a number");
        }
        if (number < least || number > most) {
            throw wrong(url, name + " is " + value + "; it must be " + least + " to " + most);
        }
        return number;
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static MessagingException wrong(String url, String why) {
        return new MessagingException(
                Reason.INVALID,
                "'" + url.replaceFirst("//[^@/]*@", "//…@").replaceFirst("\\?.*", "") + "' is no url of Kafka brokers: "
                        + why + "; write kafka://HOST:PORT");
    }
}
