/** Tests of the settings. */
@NullMarked
package dev.postroad.patterns.settings;

import org.jspecify.annotations.NullMarked;
