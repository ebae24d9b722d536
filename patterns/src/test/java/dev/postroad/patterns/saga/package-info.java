@NullMarked
package dev.postroad.patterns.saga;

import org.jspecify.annotations.NullMarked;
