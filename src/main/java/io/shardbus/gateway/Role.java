package io.shardbus.gateway;

import java.util.Locale;

/** What the holder of a token may do. No role includes another. */
enum Role {
  INGEST,
  READ,
  ADMIN;

  /** As it is written in a file of tokens. */
  String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
