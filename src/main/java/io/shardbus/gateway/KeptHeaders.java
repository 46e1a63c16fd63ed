package io.shardbus.gateway;

import io.shardbus.event.Headers;
import io.vertx.core.MultiMap;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The headers of a request that travel with its events: {@code gateway.keepHeaders}. */
final class KeptHeaders {

  private static final Set<String> SECRETS =
      Set.of("authorization", "cookie", "proxy-authorization");

  private final List<String> names;

  /**
   * @param names separated by commas, with {@code *} at the end of a name for any end
   */
  KeptHeaders(String names) {
    this.names =
        Arrays.stream(names.split(",", -1))
            .map(name -> name.strip().toLowerCase(Locale.ROOT))
            .filter(name -> !name.isEmpty())
            .toList();
  }

  /** Throws {@link IllegalArgumentException} if one of the names is that of a secret. */
  void refuseSecrets() {
    for (String secret : SECRETS) {
      if (keeps(secret)) {
        throw new IllegalArgumentException(
            "keepHeaders: must not keep the header " + secret + ", which is a secret");
      }
    }
  }

  private boolean keeps(String header) {
    for (String name : names) {
      boolean begins = name.endsWith("*");
      int length = begins ? name.length() - 1 : name.length();
      if ((begins ? header.length() >= length : header.length() == length)
          && header.regionMatches(true, 0, name, 0, length)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Chooses headers. Values of headers with the same name are joined by commas.
   *
   * @throws IllegalArgumentException if one is not UTF-8
   * @throws io.shardbus.event.InvalidEventException if an event cannot have them
   */
  Headers of(MultiMap request) {
    Map<String, String> kept = null;
    for (Map.Entry<String, String> header : request) {
      if (keeps(header.getKey())) {
        kept = kept == null ? new LinkedHashMap<>() : kept;
        kept.merge(
            header.getKey().toLowerCase(Locale.ROOT),
            HeaderText.of(header.getKey(), header.getValue()),
            (first, next) -> first + ", " + next);
      }
    }
    return kept == null ? Headers.none() : Headers.of(kept);
  }
}
