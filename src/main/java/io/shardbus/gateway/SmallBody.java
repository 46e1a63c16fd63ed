package io.shardbus.gateway;

import io.shardbus.event.InvalidEventException;
import io.shardbus.event.JsonCheck;
import io.shardbus.event.Outcome;
import io.shardbus.net.Deadline;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.RoutingContext;
import org.jspecify.annotations.Nullable;

/** The body of a request that administers: a JSON object, or nothing. */
final class SmallBody {

  /** The largest one, in bytes. */
  private static final int MAX_BYTES = 64 << 10;

  private static final String BODY = "shardbus.body";

  private final Vertx vertx;
  private final Limits limits;
  private final Ongoing ongoing;

  SmallBody(Vertx vertx, Limits limits, Ongoing ongoing) {
    this.vertx = vertx;
    this.limits = limits;
    this.ongoing = ongoing;
  }

  /** Lets a route have the body, once it is whole. */
  Route of(Route route) {
    return route.handler(this::read);
  }

  private void read(RoutingContext context) {
    HttpServerRequest request = context.request();
    String type = MediaTypes.of(request);
    String encoding = Encodings.of(request);
    boolean otherType = !type.isEmpty() && !type.equals(MediaTypes.JSON);
    if (otherType || !encoding.isEmpty()) {
      request
          .response()
          .putHeader("Accept-Post", MediaTypes.JSON)
          .putHeader(HttpHeaders.ACCEPT_ENCODING, "identity");
      Problem.refuse(
          request,
          415,
          otherType
              ? "Content-Type \"" + type + "\" is not supported: use " + MediaTypes.JSON
              : "Content-Encoding \"" + encoding + "\" is not supported here");
      return;
    }
    IngestRequest.proceed(request);
    new Reading(context).begin();
  }

  /** Reads one body. For one event loop. */
  private final class Reading implements RequestBody.Reader {

    private final RoutingContext context;
    private final Buffer bytes = Buffer.buffer();
    private final Deadline late = new Deadline(vertx, this::takesTooLong);
    private final Deadline stop = new Deadline(vertx, this::stopped);
    private Runnable forget = () -> {};
    private boolean over;

    Reading(RoutingContext context) {
      this.context = context;
    }

    void begin() {
      late.begin(limits.options().getBodyTimeout());
      forget = ongoing.add(vertx, () -> stop.begin(Ongoing.PATIENCE));
      new RequestBody(context.request(), null, null, true, this).begin();
    }

    @Override
    public void chunk(Buffer chunk) {
      if (bytes.length() + chunk.length() > MAX_BYTES) {
        broken(Outcome.TOO_LARGE, "the body is larger than " + MAX_BYTES + " bytes");
      } else {
        bytes.appendBuffer(chunk);
      }
    }

    @Override
    public void end() {
      if (!over) {
        gone();
        context.put(BODY, bytes);
        context.next();
      }
    }

    private void takesTooLong() {
      broken(Outcome.TOO_SLOW, limits.tooSlow("the body"));
    }

    private void stopped() {
      broken(Outcome.CLOSED, "the server is stopping");
    }

    @Override
    public void broken(Outcome reason, String detail) {
      if (!over) {
        gone();
        Problem.refuse(context.request(), reason, detail, new JsonObject());
      }
    }

    @Override
    public void gone() {
      over = true;
      late.cancel();
      stop.cancel();
      forget.run();
    }
  }

  static boolean isEmpty(RoutingContext context) {
    return context.<Buffer>get(BODY).length() == 0;
  }

  /**
   * The object; null if there is no body.
   *
   * @throws IllegalArgumentException if it is something else
   */
  static @Nullable JsonObject json(RoutingContext context) {
    if (isEmpty(context)) {
      return null;
    }
    Buffer bytes = context.get(BODY);
    try {
      JsonCheck.DEFAULT.require(bytes);
      if (bytes.toJsonValue() instanceof JsonObject object) {
        return object;
      }
    } catch (InvalidEventException e) {
      // said below
    }
    throw new IllegalArgumentException("the body must be a JSON object");
  }
}
