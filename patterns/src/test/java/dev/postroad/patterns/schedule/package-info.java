@NullMarked
package dev.postroad.patterns.schedule;

import org.jspecify.annotations.NullMarked;
