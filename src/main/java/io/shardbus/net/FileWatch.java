package io.shardbus.net;

import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * Checks every second whether files have changed. The listener runs on a worker thread, one call at
 * a time.
 */
public final class FileWatch {

  private static final long LOOK_MILLIS = 1_000;

  private final List<Path> files;
  private List<Object> seen;

  /**
   * Changes count from the present state of the files; blocks.
   *
   * @param files the files, which need not be there
   */
  public FileWatch(List<Path> files) {
    this.files = files;
    seen = marks();
  }

  /**
   * Begins to look.
   *
   * @param vertx whose timer and workers are used
   * @param onChange what is called after a change
   * @return the timer that ends it when it is cancelled
   */
  public long begin(Vertx vertx, Runnable onChange) {
    Callable<Boolean> look = () -> look(onChange);
    return vertx.setPeriodic(
        LOOK_MILLIS,
        id -> {
          if (!files.isEmpty()) {
            vertx.executeBlocking(look);
          }
        });
  }

  private synchronized boolean look(Runnable onChange) {
    List<Object> now = marks();
    boolean changed = !now.equals(seen);
    if (changed) {
      seen = now;
      onChange.run();
    }
    return changed;
  }

  /** Changes whenever a file is written, replaced, removed, or made again. */
  private List<Object> marks() {
    List<Object> marks = new ArrayList<>();
    for (Path file : files) {
      try {
        BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
        marks.add(List.of(now.lastModifiedTime(), now.size(), String.valueOf(now.fileKey())));
      } catch (IOException e) {
        marks.add("none");
      }
    }
    return marks;
  }
}
