/**
 * The embedded log: a folder of SQLite files (in WAL mode) that anyone can open.
 *
 * <p>Each writer has files of its own, {@code writer-N-FIRST.db}, where FIRST is the position of
 * the first event. Every file has one table:
 *
 * <pre>{@code
 * events(position INTEGER PRIMARY KEY,  -- counts a writer's events from 1, in the order of their commits
 *        epoch INTEGER, shard INTEGER, sequence INTEGER,
 *        timestamp INTEGER,             -- nanoseconds since the epoch
 *        key TEXT,                      -- NULL if the event has none
 *        payload BLOB)                  -- the bytes as they were sent
 * }</pre>
 *
 * <p>The file {@code lock} keeps a second process out; {@code id} tells a log from one that was in
 * its folder before, so that cursors of that are known. A file that SQLite finds damaged is renamed
 * to {@code *.damaged}. The newest file of a writer stays, be it empty and the writer gone: its
 * name tells where positions go on.
 */
@NullMarked
package io.shardbus.sink.log;

import org.jspecify.annotations.NullMarked;
