package dev.postroad.cli;

import dev.postroad.examples.shop.ShopDatabase;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.h2.tools.Server;
import org.jspecify.annotations.Nullable;

/** The database of the shop's demo, gone at its end: H2 in this process, or a schema of its own in a PostgreSQL that is there. */
final class ShopDemoDatabase implements AutoCloseable {
    private final String name;
    private final ShopDatabase mine;
    private final ShopDatabase others;
    private final @Nullable Server server;
    private final @Nullable ShopDatabase home;
    private final String schema;

    private ShopDemoDatabase(
            String name,
            ShopDatabase mine,
            ShopDatabase others,
            @Nullable Server server,
            @Nullable ShopDatabase home,
            String schema) {
        this.name = name;
        this.mine = mine;
        this.others = others;
        this.server = server;
        this.home = home;
        this.schema = schema;
    }

    /** In this process's memory, for others by TCP on the loopback interface, with a password that only they are told. */
    static ShopDemoDatabase h2() throws SQLException {
        System.setProperty("h2.bindAddress", "127.0.0.1");
        String password = new BigInteger(128, new SecureRandom()).toString(Character.MAX_RADIX);
        String memory = "mem:shop" + System.nanoTime() + ";DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=20000";
        Server server = Server.createTcpServer("-tcpPort", "0").start();
        return new ShopDemoDatabase(
                "H2",
                new ShopDatabase("jdbc:h2:" + memory, "shop", password),
                new ShopDatabase("jdbc:h2:tcp://127.0.0.1:" + server.getPort() + "/" + memory, "shop", password),
                server,
                null,
                "");
    }

    /** @throws CliException if there is none, or it does not let us in */
    static ShopDemoDatabase postgresql(String url) {
        ShopDatabase home;
        try {
            home = ShopDatabase.postgresql(url);
        } catch (IllegalArgumentException e) {
            throw new CliException(
                    ExitCode.USAGE,
                    "--database is not as it must be, postgresql://USER:PASSWORD@HOST:PORT/DATABASE: '"
                            + url.replaceFirst("://[^@]*@", "://…@") + "'",
                    e);
        }
        String schema = "postroad_demo_" + Long.toString(System.currentTimeMillis(), Character.MAX_RADIX);
        try {
            execute(home, "create schema " + schema);
        } catch (SQLException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE, "the database " + home + " cannot be used: " + e.getMessage(), e);
        }
        ShopDatabase own = home.withSchema(schema);
        return new ShopDemoDatabase("PostgreSQL", own, own, null, home, schema);
    }

    private static void execute(ShopDatabase database, String sql) throws SQLException {
        try (Connection connection = database.open().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** What kind it is. */
    String name() {
        return name;
    }

    /** For this process. */
    DataSource open() {
        return mine.open();
    }

    /** For other processes. */
    ShopDatabase forOthers() {
        return others;
    }

    @Override
    public void close() {
        if (server != null) {
            server.stop();
        }
        if (home != null) {
            try {
                execute(home, "drop schema " + schema + " cascade");
            } catch (SQLException e) {
                Terminal.err().println("postroad: the schema " + schema + " could not be dropped: " + e.getMessage());
            }
        }
    }
}
