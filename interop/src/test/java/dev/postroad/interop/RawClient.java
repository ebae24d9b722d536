package dev.postroad.interop;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** A client without manners: sends any bytes it is told to, and reads only when asked. */
final class RawClient implements AutoCloseable {
    static final byte[] HEADER = "AMQP\0\0\11\1".getBytes(StandardCharsets.ISO_8859_1);

    private final Socket socket = new Socket();
    private final OutputStream out;
    private final DataInputStream in;

    RawClient(int port) throws IOException {
        socket.setReceiveBufferSize(4096);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 10_000);
        socket.setSoTimeout(20_000);
        socket.setTcpNoDelay(true);
        out = socket.getOutputStream();
        in = new DataInputStream(socket.getInputStream());
    }

    void send(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    /** Logs in as guest and opens channel 1. */
    RawClient open() throws IOException {
        send(HEADER);
        read();
        // start-ok: no properties, PLAIN, \0guest\0guest, en_US
        send(method(0, 10, 11, "00000000" + "05504c41494e" + "0000000c" + "006775657374006775657374" + "05656e5f5553"));
        read();
        send(method(0, 10, 31, "07ff" + "00020000" + "0000"));
        send(method(0, 10, 40, "012f" + "00" + "00"));
        read();
        send(method(1, 20, 10, "00"));
        read();
        return this;
    }

    /** The class and method of the next frame. */
    int read() throws IOException {
        in.readByte();
        in.readUnsignedShort();
        byte[] payload = new byte[in.readInt()];
        in.readFully(payload);
        in.readByte();
        return payload.length < 4 ? 0 : ByteBuffer.wrap(payload).getInt();
    }

    /** Waits until the server has hung up, or reset the connection. */
    void awaitEnd() {
        try {
            byte[] rest = new byte[4096];
            int count = 0;
            while (count >= 0) {
                count = in.read(rest);
            }
        } catch (IOException e) {
            return; // reset: that is an end, too
        }
    }

    /** A method frame with arguments in hexadecimal. */
    static byte[] method(int channel, int type, int id, String hex) {
        byte[] arguments = java.util.HexFormat.of().parseHex(hex);
        ByteBuffer frame = ByteBuffer.allocate(12 + arguments.length);
        frame.put((byte) 1).putShort((short) channel).putInt(4 + arguments.length);
        frame.putShort((short) type).putShort((short) id).put(arguments).put((byte) 0xCE);
        return frame.array();
    }

    /** {@code basic.publish} of a small persistent message to a queue, all three frames. */
    static byte[] publish(String queue) {
        byte[] name = queue.getBytes(StandardCharsets.UTF_8);
        String key = java.util.HexFormat.of().withLowerCase().formatHex(name);
        byte[] publish = method(1, 60, 40, "0000" + "00" + String.format("%02x", name.length) + key + "00");
        ByteBuffer all = ByteBuffer.allocate(publish.length + 23 + 108);
        all.put(publish);
        all.put((byte) 2).putShort((short) 1).putInt(15);
        all.putShort((short) 60)
                .putShort((short) 0)
                .putLong(100)
                .putShort((short) 0x1000)
                .put((byte) 2);
        all.put((byte) 0xCE);
        all.put((byte) 3).putShort((short) 1).putInt(100).put(new byte[100]).put((byte) 0xCE);
        return all.array();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
