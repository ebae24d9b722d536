/**
 * Who may come in: users with hashed passwords, what peers say to prove who they are, and TLS. Knows no protocol.
 *
 * <pre>
 *   SASL PLAIN, AMQPLAIN, HTTP Basic ──▶ Credentials ──▶ Authenticator ──▶ Login: a User, or refused
 *   client certificate ──▶ Peer ─────────────────────▶       │
 *                                                       UsersFile ◀── postroad users, the management interface
 * </pre>
 *
 * <p>Reading order: {@link dev.postroad.security.Authenticator}, {@code UsersAuthenticator}, {@code PasswordHash}, {@link
 * dev.postroad.security.UsersFile}, {@link dev.postroad.security.TlsContext}.
 */
@NullMarked
package dev.postroad.security;

import org.jspecify.annotations.NullMarked;
