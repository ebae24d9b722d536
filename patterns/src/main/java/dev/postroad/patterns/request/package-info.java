/**
 * Request and reply on top of what the contract has: a typed requester with a bound on what is in flight, in three manners
 * (future, callback, blocking), and deadlines that travel with a request to its server and on to the requests that this one
 * sends.
 *
 * <pre>
 *   Requester ──▶ request channel ──▶ Responder ──▶ RequestHandler
 *       ▲                                              │
 *       └── one reply channel for all, by correlation ◀┘
 * </pre>
 *
 * <p>Reading order: {@link dev.postroad.patterns.request.Requester}, {@link dev.postroad.patterns.request.Deadline}, {@link
 * dev.postroad.patterns.request.Responder}.
 */
@NullMarked
package dev.postroad.patterns.request;

import org.jspecify.annotations.NullMarked;
