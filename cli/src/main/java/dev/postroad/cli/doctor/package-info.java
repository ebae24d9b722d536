/**
 * Examines the files of a data directory, without a broker. Apart from the commands because it alone reads the journal's
 * files; what it finds is told in words of its own.
 */
@NullMarked
package dev.postroad.cli.doctor;

import org.jspecify.annotations.NullMarked;
