package dev.postroad.simulation.disk;

/** A file whatever its name: what is durable of it, and what a reader sees. */
final class Inode {
    final int number;
    Content durable;
    Content visible;

    Inode(int number, Content durable, Content visible) {
        this.number = number;
        this.durable = durable;
        this.visible = visible;
    }

    @Override
    public String toString() {
        return "#" + number;
    }
}
