/**
 * {@code shardbus soak}: stress with an independent checker, which checks every promise under the
 * worst schedules. The library's jar does not hold it.
 */
@NullMarked
package io.shardbus.app.soak;

import org.jspecify.annotations.NullMarked;
