package io.shardbus.event;

import io.shardbus.event.PathReader.Step;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where in an event its key stands, such as {@code user.id}, {@code tags[0]} or {@code
 * ['service.name']}. Immutable.
 */
public final class KeyPath {

  private final String option;
  private final String path;
  private final List<Step> steps;
  private final List<byte[]> names;

  private KeyPath(String option, String path, List<Step> steps) {
    this.option = option;
    this.path = path;
    this.steps = List.copyOf(steps);
    names =
        steps.stream()
            .map(step -> Objects.requireNonNullElse(step.name(), ""))
            .map(name -> name.getBytes(StandardCharsets.UTF_8))
            .toList();
  }

  /**
   * A path.
   *
   * @param path from the outermost on: names of members with dots between, or in brackets and
   *     quotes if they have a dot, a bracket or a quote; and indexes of elements in brackets, from
   *     0
   * @return the path
   * @throws IllegalArgumentException if it is no such path; it says where it breaks
   */
  public static KeyPath of(String path) {
    return of("keyPath", path);
  }

  /**
   * A path that is not to a key.
   *
   * @param option what the path is for, named in errors
   * @param path as in {@link #of(String)}
   * @return the path
   * @throws IllegalArgumentException if it is no such path; it says where it breaks
   */
  public static KeyPath of(String option, String path) {
    PathReader reader = new PathReader(path, 0, c -> ".[]'\"".indexOf(c) < 0);
    try {
      List<Step> steps = new ArrayList<>();
      if (!path.startsWith("[")) {
        steps.add(new Step(reader.name(), 0));
      }
      steps.addAll(reader.steps());
      if (reader.at() < path.length()) {
        throw PathReader.wrong(path, reader.at(), "., [ or the end is expected");
      }
      return new KeyPath(option, path, steps);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          option
              + ": "
              + e.getMessage()
              + "; allowed are paths such as user.id, tags[0] and ['service.name']",
          e);
    }
  }

  /**
   * Looks for the key.
   *
   * @param json one JSON value, already checked
   * @return the string, or the number, true or false as written. The last of several members with
   *     the same name counts. Null if there is no such value
   */
  public @Nullable String in(Buffer json) {
    return BufferAccess.key(json, steps, names);
  }

  /**
   * Looks for a key that must be there.
   *
   * @param json one JSON value, already checked
   * @return as {@link #in}
   * @throws InvalidEventException if there is none
   */
  public String require(Buffer json) {
    String key = in(json);
    if (key == null) {
      throw new InvalidEventException("no string, number or boolean at " + option + " " + path, -1);
    }
    return key;
  }

  @Override
  public String toString() {
    return path;
  }
}
