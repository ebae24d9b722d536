@NullMarked
package dev.postroad.journal;

import org.jspecify.annotations.NullMarked;
