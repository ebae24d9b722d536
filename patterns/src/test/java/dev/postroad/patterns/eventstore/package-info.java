@NullMarked
package dev.postroad.patterns.eventstore;

import org.jspecify.annotations.NullMarked;
