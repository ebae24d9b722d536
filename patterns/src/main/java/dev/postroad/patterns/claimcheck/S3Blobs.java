package dev.postroad.patterns.claimcheck;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Blobs as objects of a bucket, in S3 or whatever speaks its protocol (MinIO, Ceph, Garage …), by plain HTTP with Signature
 * Version 4; buckets are named in the path. Needs the rights to put, get, delete and list objects.
 */
public final class S3Blobs implements BlobStore {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]");
    private static final Pattern PREFIX = Pattern.compile("([A-Za-z0-9_-]+/)*");
    private static final Pattern ID = Pattern.compile("[0-9a-zA-Z-]{1,100}");
    private static final int MAX_LISTING_BYTES = 4 << 20;
    private static final int MAX_ERROR_BYTES = 500;
    private static final byte[] NOTHING = new byte[0];

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private final URI endpoint;
    private final String bucket;
    private final String prefix;
    private final SignatureV4 signature;

    /**
     * @param endpoint {@code https://s3.eu-central-1.amazonaws.com}, say; without a path
     * @param bucket a bucket that is there
     * @param prefix of all keys: empty, or ending with a slash; letters, digits, {@code _} and {@code -} between slashes
     * @param region {@code eu-central-1}, say; what the server expects
     * @param accessKey name of the key
     * @param secretKey the key; never logged
     */
    public S3Blobs(URI endpoint, String bucket, String prefix, String region, String accessKey, String secretKey) {
        check(endpoint.getHost() != null, "endpoint", endpoint.toString(), "a url with a host");
        check(BUCKET.matcher(bucket).matches(), "bucket", bucket, "3 to 63 lower-case letters, digits, . and -");
        check(PREFIX.matcher(prefix).matches(), "prefix", prefix, "empty, or names that each end with a slash");
        this.endpoint = endpoint;
        this.bucket = bucket;
        this.prefix = prefix;
        this.signature = new SignatureV4(region, accessKey, secretKey);
    }

    private static void check(boolean holds, String name, String value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    @Override
    public void put(String id, byte[] bytes) throws IOException {
        call("PUT", path(id), "", bytes, 1 << 16, 200);
    }

    @Override
    public Optional<byte[]> get(String id, int size) throws IOException {
        Answer answer = call("GET", path(id), "", NOTHING, size + 1, 200, 404);
        return answer.status() == 404 ? Optional.empty() : Optional.of(answer.body());
    }

    @Override
    public void delete(String id) throws IOException {
        call("DELETE", path(id), "", NOTHING, 1 << 16, 200, 204, 404);
    }

    @Override
    public int deleteOlderThan(Duration age) throws IOException {
        Instant limit = Instant.now().minus(age);
        String list = "list-type=2&max-keys=1000&prefix=" + encoded(prefix);
        int count = 0;
        String after = "";
        while (true) {
            String query = after.isEmpty() ? list : list + "&start-after=" + encoded(after);
            byte[] page = call("GET", "/" + bucket, query, NOTHING, MAX_LISTING_BYTES, 200)
                    .body();
            List<Listed> listed = listed(page);
            for (Listed object : listed) {
                if (object.ours(prefix) && object.modified().isBefore(limit)) {
                    delete(object.key().substring(prefix.length()));
                    count++;
                }
            }
            if (listed.isEmpty()) {
                return count;
            }
            after = listed.getLast().key();
        }
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private record Listed(String key, Instant modified) {
        boolean ours(String prefix) {
            return key.startsWith(prefix)
                    && ID.matcher(key.substring(prefix.length())).matches();
        }
    }

    private String path(String id) {
        check(ID.matcher(id).matches(), "id", id, "letters, digits and -");
        return "/" + bucket + "/" + prefix + id;
    }

    private record Answer(int status, byte[] body) {}

    private Answer call(String method, String path, String query, byte[] body, int most, int... expected)
            throws IOException {
        URI uri = URI.create(endpoint.getScheme() + "://" + endpoint.getRawAuthority() + path
                + (query.isEmpty() ? "" : "?" + query));
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .timeout(TIMEOUT)
                .method(
                        method,
                        body.length == 0 && !method.equals("PUT")
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofByteArray(body));
        signature
                .sign(method, path, query, Map.of("host", endpoint.getRawAuthority()), body, Instant.now())
                .forEach(request::header);
        try {
            HttpResponse<InputStream> response =
                    client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
            int status = response.statusCode();
            boolean fine = IntStream.of(expected).anyMatch(one -> one == status);
            byte[] answer;
            try (InputStream in = response.body()) {
                answer = in.readNBytes(fine ? most : MAX_ERROR_BYTES);
            }
            if (!fine) {
                throw new IOException(method + " " + uri + " was answered with " + status + ": "
                        + new String(answer, StandardCharsets.UTF_8));
            }
            return new Answer(status, answer);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted during " + method + " " + uri, e);
        }
    }

    private List<Listed> listed(byte[] page) throws IOException {
        XMLInputFactory factory = XMLInputFactory.newFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        List<Listed> listed = new ArrayList<>();
        String key = "";
        try {
            XMLStreamReader reader = factory.createXMLStreamReader(new ByteArrayInputStream(page));
            while (reader.hasNext()) {
                if (reader.next() != XMLStreamReader.START_ELEMENT) {
                    continue;
                }
                switch (reader.getLocalName()) {
                    case "Key" -> key = reader.getElementText();
                    case "LastModified" -> listed.add(new Listed(key, Instant.parse(reader.getElementText())));
                    default -> {}
                }
            }
        } catch (XMLStreamException | DateTimeParseException e) {
            throw new IOException("the listing of bucket " + bucket + " can't be read: " + e.getMessage(), e);
        }
        return listed;
    }
}
