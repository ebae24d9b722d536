/**
 * The {@code postroad} command: start a broker, send and receive, look after channels, examine a data directory.
 *
 * <pre>
 *   Main ── picocli ──▶ a command class each (Serve, Send, Receive, Channels, Dead …)
 *                          │
 *                          ├─ BrokerOptions ──▶ Link: --url, or --data starts a private server in this process
 *                          │                      │
 *                          │                      ├─ Postroad on the http transport   send, receive, request
 *                          │                      └─ HttpApi, JSON                    all that administrates
 *                          └─ Terminal, Table, Progress: what people see; JSON is for scripts
 * </pre>
 *
 * <p>There is one way to a broker, HTTP, so that every command behaves the same on a server far away and on a directory
 * nobody holds. Only {@code doctor} reads files itself, by {@code dev.postroad.cli.doctor}.
 *
 * <p>What a command prints on stdout is its result and nothing else; progress, summaries and errors go to stderr.
 *
 * <p>Reading order: {@link dev.postroad.cli.Main}, {@link dev.postroad.cli.ExitCode}, {@code BrokerOptions}, {@code Link},
 * {@code HttpApi}, then any command.
 */
@NullMarked
package dev.postroad.cli;

import org.jspecify.annotations.NullMarked;
