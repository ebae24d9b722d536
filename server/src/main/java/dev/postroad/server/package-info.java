/**
 * Configuration and assembly: the one part that knows all others.
 *
 * <pre>
 *   postroad.yaml, POSTROAD_… ──▶ ConfigFile ──▶ ServerSettings ──▶ PostroadServer
 *                                                                    │
 *                                              Broker (with JsonPayload) ◀── HttpProtocol
 * </pre>
 *
 * <p>Reading order: {@link dev.postroad.server.PostroadServer}, {@link dev.postroad.server.ServerSettings}, {@link
 * dev.postroad.server.ConfigFile}, {@code Yaml}, {@code JsonPayload}.
 */
@NullMarked
package dev.postroad.server;

import org.jspecify.annotations.NullMarked;
