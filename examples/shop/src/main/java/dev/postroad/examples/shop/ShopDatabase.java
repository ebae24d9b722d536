package dev.postroad.examples.shop;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import javax.sql.ConnectionPoolDataSource;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcConnectionPool;
import org.h2.jdbcx.JdbcDataSource;
import org.postgresql.ds.PGConnectionPoolDataSource;

/**
 * Where the shop's rows lie.
 *
 * @param url as JDBC has it, of H2 or PostgreSQL
 * @param user name
 * @param password may be empty
 */
public record ShopDatabase(String url, String user, String password) {
    private static final String POSTGRESQL = "jdbc:postgresql:";
    private static final int CONNECTIONS = 40;

    /**
     * From {@code postgresql://USER:PASSWORD@HOST:PORT/DATABASE?OPTIONS}, options being those of the JDBC driver.
     *
     * @throws IllegalArgumentException if it is something else
     */
    public static ShopDatabase postgresql(String url) {
        URI uri = URI.create(url);
        if (!"postgresql".equals(uri.getScheme())
                || uri.getHost() == null
                || uri.getPath().length() < 2) {
            throw new IllegalArgumentException(
                    "the database is '" + url + "'; it must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE");
        }
        String[] login = uri.getRawUserInfo() == null
                ? new String[] {""}
                : uri.getRawUserInfo().split(":", 2);
        String address = uri.getHost() + (uri.getPort() < 0 ? "" : ":" + uri.getPort());
        String options = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
        return new ShopDatabase(
                "jdbc:postgresql://" + address + uri.getRawPath() + options,
                decoded(login[0]),
                login.length < 2 ? "" : decoded(login[1]));
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    /** This database, with everything in this schema of it. */
    public ShopDatabase withSchema(String schema) {
        return new ShopDatabase(url + (url.contains("?") ? "&" : "?") + "currentSchema=" + schema, user, password);
    }

    /** Connections that are kept for the next who needs one. */
    public DataSource open() {
        JdbcConnectionPool pool = JdbcConnectionPool.create(source());
        pool.setMaxConnections(CONNECTIONS);
        return pool;
    }

    private ConnectionPoolDataSource source() {
        if (url.startsWith(POSTGRESQL)) {
            PGConnectionPoolDataSource postgresql = new PGConnectionPoolDataSource();
            postgresql.setURL(url);
            postgresql.setUser(user);
            postgresql.setPassword(password);
            return postgresql;
        }
        JdbcDataSource h2 = new JdbcDataSource();
        h2.setURL(url);
        h2.setUser(user);
        h2.setPassword(password);
        return h2;
    }

    /** Without the password. */
    @Override
    public String toString() {
        return url;
    }
}
