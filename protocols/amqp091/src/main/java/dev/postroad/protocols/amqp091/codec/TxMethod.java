package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;

/** Transactions. */
public sealed interface TxMethod extends Method {
    /** Publishes and acknowledgements on this channel take effect by commit from now on. */
    record Select() implements TxMethod {
        /** Class and method. */
        public static final int ID = (90 << 16) | 10;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** They do. */
    record SelectOk() implements TxMethod {
        /** Class and method. */
        public static final int ID = (90 << 16) | 11;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** What was done since the last takes effect as one. */
    record Commit() implements TxMethod {
        /** Class and method. */
        public static final int ID = (90 << 16) | 20;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** It has. */
    record CommitOk() implements TxMethod {
        /** Class and method. */
        public static final int ID = (90 << 16) | 21;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** What was done since the last is undone. */
    record Rollback() implements TxMethod {
        /** Class and method. */
        public static final int ID = (90 << 16) | 30;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** It is. */
    record RollbackOk() implements TxMethod {
        /** Class and method. */
        public static final int ID = (90 << 16) | 31;

        @Override
        public int id() {
            return ID;
        }

        @Override
        public void writeArguments(ByteBuf out) {}
    }

    /** The method with this id; null if this class has none such. */
    static @org.jspecify.annotations.Nullable Method read(int id, ArgumentReader in) {
        return switch (id) {
            case Select.ID -> new Select();
            case SelectOk.ID -> new SelectOk();
            case Commit.ID -> new Commit();
            case CommitOk.ID -> new CommitOk();
            case Rollback.ID -> new Rollback();
            case RollbackOk.ID -> new RollbackOk();
            default -> null;
        };
    }
}
