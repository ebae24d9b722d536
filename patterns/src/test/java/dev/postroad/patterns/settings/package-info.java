/** Tests of the inbox. */
@NullMarked
package dev.postroad.patterns.settings;

import org.jspecify.annotations.NullMarked;
