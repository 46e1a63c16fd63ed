package io.shardbus.sink.support;

import io.shardbus.event.Headers;
import io.shardbus.event.InvalidEventException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Gathers the headers of an event that is read from a store. Other programs may have added some
 * that an event may not have: these are left out, so that the event can still be read. Not safe for
 * several threads at once.
 */
public final class StoredHeaders {

  private final Map<String, String> found = new LinkedHashMap<>();

  /** No headers yet. */
  public StoredHeaders() {}

  /**
   * Adds a header. It takes the place of an earlier one of the same name.
   *
   * @param name left out if it is not in lower case: no event has such a header
   * @param value its text
   */
  public void add(String name, String value) {
    if (name.chars().noneMatch(c -> c >= 'A' && c <= 'Z')) {
      found.put(name, value);
    }
  }

  /** {@return the valid headers, and no more than an event may have} */
  public Headers build() {
    try {
      return Headers.of(found);
    } catch (InvalidEventException e) {
      return allowed();
    }
  }

  private Headers allowed() {
    Map<String, String> some = new LinkedHashMap<>();
    Headers allowed = Headers.none();
    for (Map.Entry<String, String> header : found.entrySet()) {
      some.put(header.getKey(), header.getValue());
      try {
        allowed = Headers.of(some);
      } catch (InvalidEventException e) {
        some.remove(header.getKey());
      }
    }
    return allowed;
  }
}
