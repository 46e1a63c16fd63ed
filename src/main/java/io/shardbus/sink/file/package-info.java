/**
 * Writes events into files of lines.
 *
 * <p>The newest file is {@code TIME.ndjson.open}. It is complete to its last line end; what a crash
 * left behind that is cut off at the next start. When it is large or old enough it becomes {@code
 * TIME.ndjson}, or with gzip, once it is compressed, {@code TIME.ndjson.gz}, and does not change
 * any more. TIME is when it began, in UTC, such as {@code 20261130T094501123Z}, so names sort as
 * the files do. The file {@code lock} keeps a second process out.
 *
 * <p>A line is an envelope, as wire.md describes it, or only the event.
 *
 * <p>Begin with {@link io.shardbus.sink.file.FileSinkOptions}.
 */
@NullMarked
package io.shardbus.sink.file;

import org.jspecify.annotations.NullMarked;
