/**
 * The embedded log: a folder of SQLite files (in WAL mode) that anyone can open.
 *
 * <p>Each writer has files of its own, {@code writer-N-FIRST.db}, where FIRST is the position of
 * the first event. Positions count a writer's events from 1, in the order of their commits, without
 * gaps in a file. A row holds a block: some events of one shard. Every file has these tables:
 *
 * <pre>{@code
 * blocks(last INTEGER PRIMARY KEY,      -- the position of the block's last event
 *        count INTEGER,                 -- how many events it has
 *        shard INTEGER,
 *        newest INTEGER,                -- the greatest time of its events, nanoseconds since the epoch
 *        span INTEGER,                  -- newest less the least time
 *        ids INTEGER,                   -- 1 if an event has an id, else 0
 *        sum INTEGER,                   -- of N, last, count, shard, newest, span and ids
 *        block BLOB)
 * times(time INTEGER PRIMARY KEY,       -- nanoseconds since the epoch
 *       position INTEGER,               -- no event up to this position is younger
 *       sum INTEGER)                    -- of N, time and position
 * }</pre>
 *
 * <p>Each file has a number N: the CRC-32C of its name, such as {@code
 * writer-0-0000000000000000001.db}. It goes into each sum and checksum, so nothing is taken for
 * good in a file where it was not written.
 *
 * <p>A sum guards the other columns of its row, but not the block, which has a checksum of its own.
 * It begins as N. With M = 2147483647, each column makes a new sum:
 *
 * <pre>{@code
 * sum = (sum * 48271 + column % M) % M
 * }</pre>
 *
 * <p>As in SQLite, a remainder has the sign of the number that is divided. A reader does not
 * believe the columns of a row whose sum is another: it reads the block.
 *
 * <p>{@code times} gets a row with a commit when the events have become younger by a second. It
 * costs a few bytes a second on the disk.
 *
 * <p>The bytes of a block stand for themselves, and the columns beside them only help to choose. A
 * number marked v is a varint as in Protocol Buffers: seven bits a byte, the lowest first; the
 * highest bit of a byte says that another one follows. All other numbers are big-endian.
 *
 * <pre>{@code
 * 4 bytes   the length of the whole block in bytes
 * v         the position of the first event
 * v         the number of events, at least 1; their positions have no gaps
 * v         the shard
 * v         the epoch of the producer
 * v, bytes  the length of the producer's id in UTF-8, and the UTF-8
 * v         the sequence of the first event
 * 8 bytes   the least time of an event, nanoseconds since the epoch
 * v         the greatest time, less the least
 * for each event:
 *   bytes     its attributes; one byte 0 if it has no key, id or headers
 *   v         its sequence, less that of the event before, less 1; 0 for the first
 *   v         its time, less the least
 *   v, bytes  the length of its payload, and the payload as it was sent
 * 4 bytes   CRC-32C (Castagnoli) of the four bytes of N and of all bytes before
 * }</pre>
 *
 * <p>{@link io.shardbus.event.AttributeCodec} describes the bytes of attributes. A block has at
 * most 1,024 events, and takes no more once it has 256 KiB of events.
 *
 * <p>The file {@code lock} keeps a second process out. The file {@code format} holds the number of
 * the format, 6. The file {@code id} holds the number of the log in decimal, a space, and the
 * CRC-32C of the digits in eight lower-case hexadecimal digits. By the number, cursors of an
 * earlier log in the same folder are recognised. A damaged file stays in its place and is read as
 * far as it can be; if it is a writer's newest, the writer begins another one. The newest file of a
 * writer stays, even if it is empty and the writer is gone: its name tells where positions go on.
 */
@NullMarked
package io.shardbus.sink.log;

import org.jspecify.annotations.NullMarked;
