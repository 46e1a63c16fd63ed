/**
 * The soak test: chaos with a checker that does not trust the bus.
 *
 * <p>It pushes events while shards come and go, verticles die and the sink fails, and checks every
 * promise from its own records. Nothing outside of the command {@code soak} uses it.
 *
 * <p>Begin with {@code Soak}, which runs the rounds; {@code SoakPlan} draws them from the seed, and
 * {@code SoakAudit} checks them.
 */
@NullMarked
package io.shardbus.app.soak;

import org.jspecify.annotations.NullMarked;
