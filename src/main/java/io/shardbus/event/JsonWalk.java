package io.shardbus.event;

import java.nio.charset.StandardCharsets;

/**
 * Walks through one JSON value: it relies on the check, and only looks for the ends of what it
 * passes over. Not safe for several threads.
 */
class JsonWalk {

  final byte[] in;
  final int end;
  int at;

  /**
   * @param in checked JSON
   * @param from where it begins
   * @param end where it ends
   */
  JsonWalk(byte[] in, int from, int end) {
    this.in = in;
    this.end = end;
    at = from;
  }

  String text(int from, int to) {
    return new String(in, from, to - from, StandardCharsets.UTF_8);
  }

  String unescaped(int from) {
    return new PathReader(text(from, at), 0, c -> false).quoted();
  }

  /** Whether it had an escape. */
  boolean skip() {
    boolean escaped = false;
    int open = 0;
    do {
      switch (in[at++]) {
        case '"':
          escaped = string();
          break;
        case '{', '[':
          open++;
          break;
        case '}', ']':
          open--;
          break;
        default:
          if (open == 0) {
            word();
          }
          break;
      }
    } while (open > 0);
    return escaped;
  }

  /** The rest of a string. */
  private boolean string() {
    boolean escaped = false;
    while (true) {
      at = JsonScan.plain(in, at, end);
      byte b = in[at++];
      if (b == '"') {
        return escaped;
      }
      if (b == '\\') {
        escaped = true;
        at++;
      }
    }
  }

  /** The rest of a number, true, false or null. */
  private void word() {
    while (at < end && in[at] != ',' && in[at] != ']' && in[at] != '}' && in[at] > ' ') {
      at++;
    }
  }

  void space() {
    at = JsonScan.space(in, at, end);
  }
}
