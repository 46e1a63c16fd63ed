/** How options are read from JSON and written. */
@NullMarked
package io.shardbus.options;

import org.jspecify.annotations.NullMarked;
