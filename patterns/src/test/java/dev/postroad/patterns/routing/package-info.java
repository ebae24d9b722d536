/** Tests of the router, the filter and the wire tap. */
@NullMarked
package dev.postroad.patterns.routing;

import org.jspecify.annotations.NullMarked;
