/**
 * The embedded log: a folder of SQLite files (in WAL mode) that anyone can open.
 *
 * <p>Each writer has files of its own, {@code writer-N-FIRST.db}, where FIRST is the position of
 * the first event. Every file has these tables:
 *
 * <pre>{@code
 * events(position INTEGER PRIMARY KEY,  -- counts a writer's events from 1, in the order of their commits
 *        producer INTEGER,              -- the number of the producer
 *        shard INTEGER, sequence INTEGER,
 *        timestamp INTEGER,             -- nanoseconds since the epoch
 *        attributes BLOB,               -- key, id and headers; NULL if the event has none of them
 *        payload BLOB)                  -- the bytes as they were sent
 * producers(number INTEGER PRIMARY KEY, id TEXT, epoch INTEGER)
 * times(time INTEGER PRIMARY KEY,       -- nanoseconds since the epoch
 *       position INTEGER)               -- no event up to this position is younger
 * }</pre>
 *
 * <p>{@link io.shardbus.event.AttributeCodec} describes the bytes of {@code attributes}. {@code
 * times} gets a row with a commit when the events have become younger by a second. It costs a few
 * bytes a second on the disk.
 *
 * <p>The file {@code lock} keeps a second process out. The file {@code format} holds the number of
 * the format, 2; before it, logs had no such file. The file {@code id} holds the number of the log,
 * so that cursors of an earlier log in the same folder are recognised. A file that SQLite finds
 * damaged is renamed to {@code *.damaged}. The newest file of a writer stays, even if it is empty
 * and the writer is gone: its name tells where positions go on.
 */
@NullMarked
package io.shardbus.sink.log;

import org.jspecify.annotations.NullMarked;
