/**
 * The part of RabbitMQ's HTTP management interface that its clients, exporters and {@code definitions.json} files use. Knows
 * nothing of HTTP but method, path, query and body: a server puts it below {@code /api}.
 *
 * <p>Reading order: {@link dev.postroad.protocols.amqp091.management.ManagementApi}, {@code Objects}, {@code Listing}.
 */
@NullMarked
package dev.postroad.protocols.amqp091.management;

import org.jspecify.annotations.NullMarked;
