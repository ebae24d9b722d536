/**
 * The kit that every transport must pass, and that prints what each truly guarantees.
 *
 * <pre>
 *   Conformance.run(open, options)
 *        │   for each Check: is its Need met?
 *        ├─ native, emulated ──▶ Check.body(Probe) ──▶ passed or failed
 *        ├─ impossible ────────▶ asked for all the same, it must be refused
 *        └─ can't be tried here ─▶ not proven, with the reason
 *        ▼
 *   ConformanceReport: table() for people, json() for programs, passed() for builds
 * </pre>
 *
 * <p>A check sees a transport as a program does, through the contract alone. Where it has to show that something does
 * <em>not</em> happen it does not wait for nothing to come: it sends one message more and shows that this is the next to
 * come, or it compares time stamps.
 *
 * <p>Reading order: {@link dev.postroad.conformance.Conformance}, {@code Check}, {@code Probe} and {@code Inbox} (what
 * checks are written with), {@code DeliveryChecks} (an example of them), {@link
 * dev.postroad.conformance.ConformanceReport}.
 */
@NullMarked
package dev.postroad.conformance;

import org.jspecify.annotations.NullMarked;
