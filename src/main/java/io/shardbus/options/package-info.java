/**
 * Reads options from JSON and writes them.
 *
 * <p>Here lives what all options classes share: the round trip through JSON, the refusal of unknown
 * names, and durations as text such as {@code 10ms}. Options themselves live beside the code that
 * they control. This package knows no other package of Shardbus.
 *
 * <p>Begin with {@link io.shardbus.options.OptionsJson}.
 */
@NullMarked
package io.shardbus.options;

import org.jspecify.annotations.NullMarked;
