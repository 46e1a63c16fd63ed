/**
 * {@code shardbus bench}: measures a bus on the machine at hand. The library's jar does not hold
 * it.
 */
@NullMarked
package io.shardbus.app.bench;

import org.jspecify.annotations.NullMarked;
