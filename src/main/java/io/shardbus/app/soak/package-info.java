/** Stress with an independent checker: every promise, under the worst schedules. */
@NullMarked
package io.shardbus.app.soak;

import org.jspecify.annotations.NullMarked;
