@NullMarked
package dev.postroad.integrations.junit;

import org.jspecify.annotations.NullMarked;
