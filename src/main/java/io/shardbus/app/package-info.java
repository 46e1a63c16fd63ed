/** The command line and its configuration: the only place that wires everything. */
@NullMarked
package io.shardbus.app;

import org.jspecify.annotations.NullMarked;
