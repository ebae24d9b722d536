/** Tests of request and reply. */
@NullMarked
package dev.postroad.patterns.request;

import org.jspecify.annotations.NullMarked;
