package io.shardbus.sink.eventbus;

import io.shardbus.options.SharedSecret;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The messages between the sink and its consumers; see the description of the package. */
final class Protocol {

  /** How often a consumer reports that it is alive. */
  static final Duration HEARTBEAT = Duration.ofSeconds(1);

  static final String TYPE = "type";
  static final String HELLO = "hello";
  static final String BYE = "bye";
  static final String MEMBER = "member";
  static final String CREDITS = "credits";
  static final String LATE = "late";

  static final String DEDUPLICATION_ID_HEADER = "deduplicationId";

  /** From the sink to a consumer that does not know the secret. */
  static final String REFUSED_HEADER = "refused";

  static final String TIMEOUT_HEADER = "timeout";

  static final int CODE_TRANSIENT = 1;
  static final int CODE_PERMANENT = 2;
  static final int CODE_NOT_MINE = 3;
  static final int CODE_SOME_TRANSIENT = 4;
  static final int CODE_SOME_PERMANENT = 5;

  private Protocol() {}

  static String censusAddress(String address) {
    return address + ".census";
  }

  static String memberAddress(String address, String member) {
    return address + ".member." + member;
  }

  static JsonObject hello(String member, int credits, boolean late, @Nullable String secret) {
    return new JsonObject()
        .put(SharedSecret.NAME, secret)
        .put(TYPE, HELLO)
        .put(MEMBER, member)
        .put(CREDITS, credits)
        .put(LATE, late);
  }

  static JsonObject bye(String member) {
    return new JsonObject().put(TYPE, BYE).put(MEMBER, member);
  }
}
