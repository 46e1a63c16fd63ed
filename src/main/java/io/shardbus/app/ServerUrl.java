package io.shardbus.app;

import io.shardbus.options.ServerAddress;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options for the server and the token of a command, and the requests to that server. */
final class ServerUrl {

  /** The environment variable that holds the token, so that it need not be an argument. */
  static final String TOKEN_VARIABLE = "SHARDBUS_TOKEN";

  /** The environment variable for the URL of the server, if there is no argument. */
  static final String URL_VARIABLE = "SHARDBUS_URL";

  private static final String AUTHORIZATION = "Authorization";
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/=-]+");
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  @Option(
      names = "--url",
      paramLabel = "URL",
      description = "The server; also as SHARDBUS_URL%n(${DEFAULT-VALUE}).",
      defaultValue = "${env:" + URL_VARIABLE + ":-http://127.0.0.1:8080}")
  private String url = "";

  @Option(
      names = "--token",
      paramLabel = "TOKEN",
      description =
          "Token for the server; better set as SHARDBUS_TOKEN, where other users do"
              + " not see it.")
  private @Nullable String token;

  /** Made when it is needed: it loads the certificates of Java, and every command has one. */
  private @Nullable HttpClient http;

  private synchronized HttpClient http() {
    if (http == null) {
      http =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .connectTimeout(CONNECT_TIMEOUT)
              .build();
    }
    return http;
  }

  private URI resolve(String path) throws IOException {
    String base = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    ServerAddress server =
        ServerAddress.parse(base, "http", "https")
            .orElseThrow(
                () ->
                    new ConfigException(
                        "--url or SHARDBUS_URL: \""
                            + url
                            + "\" must be such as http://127.0.0.1:8080"));
    // The client takes no host with an underscore: its address stands for it.
    URI uri = URI.create(server.resolve(base) + path);
    if (uri.getHost() == null) {
      throw new IOException("cannot reach " + url + ": there is no such host");
    }
    return uri;
  }

  HttpRequest.Builder request(String path) throws IOException {
    HttpRequest.Builder request = HttpRequest.newBuilder(resolve(path));
    authorization().ifPresent(value -> request.header(AUTHORIZATION, value));
    return request;
  }

  WebSocket webSocket(String path, WebSocket.Listener listener) throws IOException {
    WebSocket.Builder builder = http().newWebSocketBuilder().subprotocols("shardbus.v1");
    authorization().ifPresent(value -> builder.header(AUTHORIZATION, value));
    URI uri = URI.create(resolve(path).toString().replaceFirst("^http", "ws"));
    try {
      return builder.buildAsync(uri, listener).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof ConnectException refused) {
        throw unreachable(refused);
      }
      if (e.getCause() instanceof WebSocketHandshakeException refused) {
        throw new IOException("the server answered " + refused.getResponse().statusCode(), e);
      }
      throw new IOException("cannot open a WebSocket: " + e.getCause(), e);
    }
  }

  private Optional<String> authorization() {
    String given = token != null ? token : System.getenv(TOKEN_VARIABLE);
    if (given == null) {
      return Optional.empty();
    }
    if (!TOKEN.matcher(given).matches()) {
      throw new ConfigException(
          "--token or " + TOKEN_VARIABLE + ": must be letters, digits and -._~+/=");
    }
    return Optional.of("Bearer " + given);
  }

  <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> body)
      throws IOException, InterruptedException {
    try {
      return http().send(request, body);
    } catch (ConnectException e) {
      throw unreachable(e);
    }
  }

  private IOException unreachable(ConnectException cause) {
    return new IOException("cannot reach " + url + ": is the server running?", cause);
  }

  JsonObject get(String path) throws IOException, InterruptedException {
    return json(text(request(path).build()));
  }

  JsonObject post(String path, JsonObject body) throws IOException, InterruptedException {
    HttpRequest.Builder request =
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.encode()));
    return json(text(request.build()));
  }

  /** The JSON that a server answered. */
  static JsonObject json(String body) throws IOException {
    try {
      return new JsonObject(body);
    } catch (DecodeException | ClassCastException e) {
      throw new IOException("this is not a Shardbus server: it answered " + body.strip(), e);
    }
  }

  /** The body of a successful answer; otherwise throws an error with the answer of the server. */
  String text(HttpRequest request) throws IOException, InterruptedException {
    return good(send(request, HttpResponse.BodyHandlers.ofString())).body();
  }

  /** Deletes something; returns whether it existed. */
  boolean delete(String path) throws IOException, InterruptedException {
    HttpResponse<String> response =
        send(request(path).DELETE().build(), HttpResponse.BodyHandlers.ofString());
    return response.statusCode() != 404 && good(response).statusCode() == 204;
  }

  private static HttpResponse<String> good(HttpResponse<String> response) throws IOException {
    if (response.statusCode() >= 400) {
      throw refusal(response.statusCode(), response.body());
    }
    return response;
  }

  /**
   * What to tell of an answer that is no success.
   *
   * @return an {@code IOException} to throw
   * @throws ConfigException instead, if the server says that the request was wrong
   */
  static IOException refusal(int status, String body) {
    String says;
    try {
      says = new JsonObject(body).getString("detail", body);
    } catch (DecodeException | ClassCastException e) {
      says = body.strip(); // not of this server, but perhaps of a proxy
    }
    String message = "the server answered " + status + ": " + says;
    if (status == 400) {
      throw new ConfigException(message);
    }
    return new IOException(message);
  }
}
