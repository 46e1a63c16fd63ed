/**
 * Folders and files that last.
 *
 * <p>Here live locks on folders, durable writes, permissions, SQLite databases as files, and the
 * data folder of a bus with the producer id in it. The packages that use a file decide what is in
 * it. All methods block: do not call them on an event loop.
 *
 * <p>Begin with {@link io.shardbus.files.DataFolder}, then {@link io.shardbus.files.FolderLock} and
 * {@link io.shardbus.files.DurableFile}.
 */
@NullMarked
package io.shardbus.files;

import org.jspecify.annotations.NullMarked;
