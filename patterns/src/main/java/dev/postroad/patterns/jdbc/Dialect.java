package dev.postroad.patterns.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;

/** The databases whose words differ where the patterns need them. */
public enum Dialect {
    /** PostgreSQL, 11 or newer. */
    POSTGRESQL,
    /** MySQL 8.0.1 or newer, and MariaDB 10.6 or newer. */
    MYSQL,
    /** H2, 2.2 or newer. */
    H2;

    /**
     * The dialect of the database behind a connection.
     *
     * @throws SQLException {@code 0A000} if it is none of these, naming it; or as the driver says
     */
    public static Dialect of(Connection connection) throws SQLException {
        String product = connection.getMetaData().getDatabaseProductName();
        return switch (product.toLowerCase(Locale.ROOT)) {
            case "postgresql" -> POSTGRESQL;
            case "mysql", "mariadb" -> MYSQL;
            case "h2" -> H2;
            default ->
                throw new SQLException(
                        "the database is '" + product + "'; PostgreSQL, MySQL, MariaDB and H2 are known here", "0A000");
        };
    }

    /** Type of a column of bytes, up to 16 MiB at least. */
    public String bytesType() {
        return switch (this) {
            case POSTGRESQL -> "bytea";
            case MYSQL -> "longblob";
            case H2 -> "varbinary(33554432)";
        };
    }

    /** Type of a column of text of up to so many characters, compared by its bytes: equal only if it is the same. */
    public String textType(int characters) {
        return switch (this) {
            case POSTGRESQL, H2 -> "varchar(" + characters + ")";
            case MYSQL -> "varchar(" + characters + ") character set utf8mb4 collate utf8mb4_bin";
        };
    }

    /** Type of a column of a moment, with its time zone where the database has one. */
    public String momentType() {
        return switch (this) {
            case POSTGRESQL, H2 -> "timestamp(6) with time zone";
            case MYSQL -> "timestamp(6)";
        };
    }

    /** The present moment by the database's clock, also within a long transaction. */
    public String now() {
        return switch (this) {
            case POSTGRESQL -> "clock_timestamp()";
            case MYSQL -> "current_timestamp(6)";
            case H2 -> "current_timestamp(6)";
        };
    }

    /** Milliseconds from a moment until now, by the database's clock. */
    public String millisSince(String moment) {
        return switch (this) {
            case POSTGRESQL -> "(extract(epoch from (clock_timestamp() - " + moment + ")) * 1000)";
            case MYSQL -> "(timestampdiff(microsecond, " + moment + ", current_timestamp(6)) / 1000)";
            case H2 -> "datediff(millisecond, " + moment + ", current_timestamp(6))";
        };
    }

    /** The moment so many milliseconds ago, for comparing with a column. */
    public String millisAgo() {
        return switch (this) {
            case POSTGRESQL -> "clock_timestamp() - (? * interval '1 millisecond')";
            case MYSQL -> "current_timestamp(6) - interval (? * 1000) microsecond";
            case H2 -> "dateadd(millisecond, -?, current_timestamp(6))";
        };
    }

    /** Type and rule of a column that counts by itself. */
    public String identity() {
        return switch (this) {
            case POSTGRESQL, H2 -> "bigint generated always as identity";
            case MYSQL -> "bigint auto_increment";
        };
    }

    /**
     * The statements that make a table and an index of it, each where it is not there yet. On MySQL a table that is there does
     * not get the index.
     *
     * @param table with its schema or without
     * @param columns and keys, as between the brackets
     * @param indexed columns; the index is named as the table, and {@code _by_age}
     */
    public List<String> tableByAge(String table, String columns, String indexed) {
        String create = "create table if not exists " + table + " (" + columns;
        String name = table + "_by_age";
        return switch (this) {
            case MYSQL -> List.of(create + ", key (" + indexed + "))");
            case H2 ->
                List.of(create + ")", "create index if not exists " + name + " on " + table + " (" + indexed + ")");
            // An index lies where its table does, and its name must not say so.
            case POSTGRESQL ->
                List.of(
                        create + ")",
                        "create index if not exists " + name.substring(name.lastIndexOf('.') + 1) + " on " + table
                                + " (" + indexed + ")");
        };
    }

    /** An insert that does nothing, and counts nothing, where a row of that key is there already. */
    public String insertIfAbsent(String table, String columns, String values, String key) {
        return switch (this) {
            case POSTGRESQL ->
                "insert into " + table + " (" + columns + ") values (" + values + ") on conflict (" + key
                        + ") do nothing";
            case MYSQL -> "insert ignore into " + table + " (" + columns + ") values (" + values + ")";
            case H2 -> "insert into " + table + " (" + columns + ") values (" + values + ")";
        };
    }

    /** True if this is what {@link #insertIfAbsent} meets where the row is there and the database has no word for it. */
    public boolean isDuplicate(SQLException e) {
        return this == H2 && "23505".equals(e.getSQLState());
    }
}
