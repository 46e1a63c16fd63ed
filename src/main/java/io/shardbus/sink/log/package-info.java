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
 * <p>The file {@code lock} keeps a second process out. The file {@code id} holds the number of the
 * log, so that cursors of an earlier log in the same folder are recognised. A file that SQLite
 * finds damaged is renamed to {@code *.damaged}. The newest file of a writer stays, even if it is
 * empty and the writer is gone: its name tells where positions go on.
 */
@NullMarked
package io.shardbus.sink.log;

import org.jspecify.annotations.NullMarked;
