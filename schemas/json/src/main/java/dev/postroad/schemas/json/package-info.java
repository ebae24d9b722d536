/**
 * JSON for keys and values: on the class path it is all that {@code Serdes.json(Order.class)} and {@code
 * Format.json(Order.class)} need.
 *
 * <p>Reading order: {@code JsonProvider}, which is found, then {@link dev.postroad.schemas.json.JsonSerde}, which works.
 */
@NullMarked
package dev.postroad.schemas.json;

import org.jspecify.annotations.NullMarked;
