package io.shardbus.net;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The parameters of a query, read so that what is sent is what is meant: only {@code &} separates
 * them, and their bytes must be UTF-8.
 */
public final class Query {

  private Query() {}

  /**
   * Reads the query of a request. The request then has these parameters in place of its own.
   *
   * @param request whose {@code params()} are replaced
   * @throws IllegalArgumentException if an escape is broken, or bytes are not UTF-8
   */
  public static void read(HttpServerRequest request) {
    String query = request.query();
    if (query == null) {
      return;
    }
    List<String[]> parameters = new ArrayList<>();
    for (String each : query.split("&", -1)) {
      if (!each.isEmpty()) {
        int equals = each.indexOf('=');
        parameters.add(
            new String[] {
              decoded(equals < 0 ? each : each.substring(0, equals)),
              equals < 0 ? "" : decoded(each.substring(equals + 1))
            });
      }
    }
    MultiMap known = request.params().clear(); // only now: it fails in words of its own
    parameters.forEach(each -> known.add(each[0], each[1]));
  }

  private static String decoded(String text) {
    ByteBuffer bytes = ByteBuffer.allocate(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c > 0xff) {
        throw new IllegalArgumentException("the query has characters that are not escaped");
      }
      if (c == '%') {
        int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
        int low = i + 2 < text.length() ? Character.digit(text.charAt(i + 2), 16) : -1;
        if (high < 0 || low < 0) {
          throw new IllegalArgumentException("the query has a broken escape such as %zz");
        }
        bytes.put((byte) (high << 4 | low));
        i += 2;
      } else {
        bytes.put((byte) (c == '+' ? ' ' : c));
      }
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("the query is not UTF-8", e);
    }
  }

  /**
   * Checks the names of parameters.
   *
   * @param names the names in the request
   * @param allowed the names that the route knows
   * @throws IllegalArgumentException naming one that is unknown, and the nearest that is known; or
   *     one that occurs twice
   */
  public static void requireKnown(Collection<String> names, List<String> allowed) {
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!allowed.contains(name)) {
        int most = Math.max(2, name.length() / 2); // or it is no likeness
        String nearest = Similar.nearest(name, allowed.stream(), each -> most).orElse(null);
        throw new IllegalArgumentException(
            "unknown parameter \""
                + name
                + "\": "
                + (allowed.isEmpty()
                    ? "there are none here"
                    : (nearest == null ? "" : "did you mean " + nearest + "? ")
                        + "Known here: "
                        + String.join(", ", allowed)));
      }
      if (!seen.add(name)) {
        throw new IllegalArgumentException(name + ": occurs twice");
      }
    }
  }
}
