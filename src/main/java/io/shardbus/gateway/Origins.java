package io.shardbus.gateway;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.HostAndPort;
import java.net.URI;

/** Tells requests of this server's own pages, and of programs, from those of other sites' pages. */
final class Origins {

  static final String REFUSAL = "requests from pages of other sites are refused";

  private Origins() {}

  /** Whether a browser says that a page of another site is behind the request. */
  static boolean foreign(HttpServerRequest request) {
    String origin = request.getHeader(HttpHeaders.ORIGIN);
    if (origin == null) {
      return false;
    }
    HostAndPort authority = request.authority();
    try {
      return authority == null
          || !String.valueOf(URI.create(origin).getAuthority()).equals(authority.toString());
    } catch (IllegalArgumentException e) {
      return true;
    }
  }
}
