/**
 * What people build on messaging, written once, on the contract alone, so that it runs on every transport. One package for
 * each pattern, one shape for all: a decorator of a handler or of a producer, its settings a record with {@code with…}
 * methods and stated defaults.
 *
 * <pre>
 *   retry        which failures are worth another attempt; the waiting is done by the broker
 *   deadletters  search, edit, put back with a ledger, and try a handler before anything is touched
 *   overload     handlers that hang or never return
 *   breaker      circuit breaker and rate limiter around handlers
 *   hold         what the handlers share that wait with their delivery in hand
 *
 *   outbox       a message joins the caller's database transaction; a relay sends it afterwards
 *   inbox        a handler's work and the memory that it was done are one database transaction
 *   jdbc         what outbox and inbox share
 *   saga         steps over several services, undone in reverse when one fails
 *   eventstore   streams of events, snapshots, views made from them
 *
 *   request      a typed requester: future, callback, blocking; deadlines that travel
 *   gather       one question to several servers, one result that names who failed
 *   routing      router, filter, wire tap, splitter and aggregator
 *   claimcheck   large values lie in a blob store, and a ticket travels
 *   forward      store-and-forward, fire-and-forget
 *   schedule     after a delay, at a moment, by a cron expression
 * </pre>
 */
@NullMarked
package dev.postroad.patterns;

import org.jspecify.annotations.NullMarked;
