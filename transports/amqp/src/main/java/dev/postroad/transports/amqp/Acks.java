package dev.postroad.transports.amqp;

import com.rabbitmq.client.Channel;
import dev.postroad.transports.emulation.PartitionTracker;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Acknowledges what came on one channel: one frame for all up to a number, where nothing before it is still in somebody's hands.
 * Safe for use by many threads.
 */
final class Acks {
    private final Channel channel;
    private final ReentrantLock lock = new ReentrantLock();

    /** Which deliveries the broker has been told of. They are numbered from 1 on. */
    private final PartitionTracker told = new PartitionTracker(1);

    Acks(Channel channel) {
        this.channel = channel;
    }

    void acknowledge(long number) throws IOException {
        lock.lock();
        try {
            channel.basicAck(number, false);
            told.done(number);
        } finally {
            lock.unlock();
        }
    }

    void giveBack(long number) throws IOException {
        lock.lock();
        try {
            channel.basicNack(number, false, true);
            told.done(number);
        } finally {
            lock.unlock();
        }
    }

    /** @param numbers ascending, each once; one at least */
    void acknowledge(long[] numbers) throws IOException {
        lock.lock();
        try {
            int last = numbers.length - 1;
            if (numbers[last] - numbers[0] == last) {
                told.done(numbers[0], numbers[last] + 1);
            } else {
                for (long number : numbers) {
                    told.done(number);
                }
            }
            int together = 0;
            while (together < numbers.length && numbers[together] < told.next()) {
                together++;
            }
            if (together > 0) {
                // All before the last of these was told of before, or is among these.
                channel.basicAck(numbers[together - 1], together > 1);
            }
            for (int i = together; i < numbers.length; i++) {
                channel.basicAck(numbers[i], false);
            }
        } finally {
            lock.unlock();
        }
    }
}
