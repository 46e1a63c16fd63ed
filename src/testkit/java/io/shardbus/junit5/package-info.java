/** For tests of applications that use Shardbus, beside vertx-junit5. */
package io.shardbus.junit5;
