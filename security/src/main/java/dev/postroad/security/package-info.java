/** Who may come in: users with hashed passwords, authentication mechanisms, and TLS settings. Knows no protocol. */
@NullMarked
package dev.postroad.security;

import org.jspecify.annotations.NullMarked;
