/** Small programs with the bugs of docs/messaging-bugs.md in them, and what the kit makes of each. */
@NullMarked
package dev.postroad.integrations.junit.bugs;

import org.jspecify.annotations.NullMarked;
