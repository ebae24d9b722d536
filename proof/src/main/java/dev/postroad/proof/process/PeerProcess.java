package dev.postroad.proof.process;

import dev.postroad.testkit.ChildProcess;
import java.util.List;
import java.util.function.Function;

/**
 * A peer that is one process.
 *
 * @param clients makes a client of a lane's channel
 */
record PeerProcess(ChildProcess process, Function<Lane, Load> clients) implements Broker.Running {
    @Override
    public Load load(Lane lane) {
        return clients.apply(lane);
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public void pause() {
        process.pause();
    }

    @Override
    public void resume() {
        process.resume();
    }

    @Override
    public void kill() {
        process.kill();
    }

    @Override
    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public List<String> tail() {
        return process.tail();
    }

    @Override
    public void close() {
        process.close();
    }
}
