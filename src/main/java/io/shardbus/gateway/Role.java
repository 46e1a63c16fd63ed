package io.shardbus.gateway;

import java.util.Locale;

/** The rights of a token. No role includes another. */
enum Role {
  INGEST,
  READ,
  ADMIN;

  /** The name in a file of tokens. */
  String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
