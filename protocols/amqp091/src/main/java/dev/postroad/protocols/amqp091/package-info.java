/** AMQP 0-9-1 with the extensions its clients use: a codec that knows bytes and the specification, and a mapping to the engine that knows both. */
@NullMarked
package dev.postroad.protocols.amqp091;

import org.jspecify.annotations.NullMarked;
