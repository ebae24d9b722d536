/**
 * Other people's clients, unmodified, against a running {@code postroad serve}.
 *
 * <p>With {@code -Dpostroad.interop=rabbitmq} those that need nothing but AMQP run against a RabbitMQ of this machine: so that
 * a test which fails on both tells about itself.
 */
@NullMarked
package dev.postroad.interop;

import org.jspecify.annotations.NullMarked;
