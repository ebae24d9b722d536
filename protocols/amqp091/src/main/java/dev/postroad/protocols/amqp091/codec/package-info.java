/**
 * AMQP 0-9-1 as bytes: frames, methods, field tables and message properties, as the specification and RabbitMQ's extensions of
 * it have them. Knows a buffer and nothing else: no connection, no engine.
 *
 * <pre>
 *   frame    type u8 · channel u16 · size u32 · payload · 0xCE
 *   method   class u16 · method u16 · arguments                       {@link dev.postroad.protocols.amqp091.codec.Method}
 *   header   class u16 · weight u16 · body size u64 · properties      {@link dev.postroad.protocols.amqp091.codec.BasicProperties}
 *   body     bytes
 * </pre>
 *
 * <p>Every length is checked against what is there before memory is taken for it. What breaks the specification is a {@link
 * dev.postroad.protocols.amqp091.codec.MalformedException} that says which code the connection is to be closed with.
 *
 * <p>Netty's buffers are used because the protocol reads from and writes to Netty's channels, without copies in between.
 */
@NullMarked
package dev.postroad.protocols.amqp091.codec;

import org.jspecify.annotations.NullMarked;
