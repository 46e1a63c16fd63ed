/**
 * Folders and files that last.
 *
 * <p>Here live locks on folders, durable writes, permissions, SQLite databases as files, and the
 * data folder of a bus with the producer id in it. What is in a file is not decided here, except
 * for that id. All of it blocks: no method may be called on an event loop.
 *
 * <p>Begin with {@link io.shardbus.files.DataFolder}, then {@link io.shardbus.files.FolderLock} and
 * {@link io.shardbus.files.DurableFile}.
 */
@NullMarked
package io.shardbus.files;

import org.jspecify.annotations.NullMarked;
