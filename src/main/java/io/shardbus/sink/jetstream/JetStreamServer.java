package io.shardbus.sink.jetstream;

import io.nats.client.AuthenticationException;
import io.nats.client.ErrorListener;
import io.nats.client.JetStreamApiException;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.api.StreamInfo;
import io.shardbus.event.IdStore;
import io.shardbus.options.ServerAddress;
import io.shardbus.sink.SinkException;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/*
 * The connection and the stream. If the connection was lost, the next user makes a new one. If the stream is missing,
 * it is created again. The methods that make or end them block.
 */
final class JetStreamServer {

  private final JetStreamSinkOptions options;
  private final String addresses;
  private @Nullable Link current;
  private @Nullable SSLContext tls;
  private volatile @Nullable IdStore idStore;

  /** Once is enough: the stream is looked at again after each refusal. */
  private boolean warned;

  JetStreamServer(JetStreamSinkOptions options) {
    this.options = options;
    addresses =
        Arrays.stream(options.getServers().split(",", -1))
            .map(server -> address(server).text(Options.DEFAULT_PORT))
            .collect(Collectors.joining(", "));
  }

  private static ServerAddress address(String server) {
    return ServerAddress.parse(server.strip(), JetStreamSinkOptions.SCHEMES).orElseThrow();
  }

  /** Blocks: reads the files of trust store and certificate. */
  synchronized void useTls(Vertx vertx) throws Exception {
    tls = options.getTls().sslContext(vertx);
  }

  /** A connection to a server that has the stream. */
  synchronized Link link() throws IOException, JetStreamApiException {
    Link link = current;
    if (link == null || !link.isUsable()) {
      close();
      link = connect();
      current = link;
    }
    if (!link.knowsStream()) {
      StreamInfo found = stream(link);
      warned = warned || StreamSetup.warnIfShort(found.getConfiguration(), options);
      link.know(found.getConfiguration());
      Duration window = found.getConfiguration().getDuplicateWindow();
      // A stream that was deleted and created again knows no ids of the one before.
      idStore =
          window == null
              ? null
              : new IdStore(options.getStream() + "@" + found.getCreateTime(), window);
    }
    return link;
  }

  /** The stream as it was seen last. */
  @Nullable IdStore idStore() {
    return idStore;
  }

  private StreamInfo stream(Link link) throws IOException, JetStreamApiException {
    try {
      return StreamSetup.ensure(link.management(), options, this::failure);
    } catch (IOException e) {
      link.doubt();
      throw e;
    }
  }

  synchronized void close() {
    if (current != null) {
      current.close();
      current = null;
    }
  }

  private Link connect() {
    Options.Builder builder =
        new Options.Builder()
            .servers(
                // The client takes no host with an underscore: its address stands for it.
                Arrays.stream(options.getServers().split(",", -1))
                    .map(server -> address(server).resolve(server.strip()))
                    .toArray(String[]::new))
            .connectionName("shardbus")
            .connectionTimeout(options.getTimeout())
            .noReconnect() // the order within a shard depends on it
            .dontForceFlushOnRequest()
            .errorListener(new ErrorListener() {}); // the callers that wait for an answer are told
    if (tls != null) {
      builder.sslContext(tls);
    }
    if (options.getCredsFile() != null) {
      builder.authHandler(Nats.credentials(options.getCredsFile()));
    } else if (options.getNkeyFile() != null) {
      builder.authHandler(Nats.staticCredentials(null, seed(options.getNkeyFile())));
    } else if (options.getToken() != null) {
      builder.token(options.getToken().toCharArray());
    } else if (options.getUser() != null || options.getPassword() != null) {
      builder.userInfo(chars(options.getUser()), chars(options.getPassword()));
    }
    try {
      return new Link(Nats.connect(builder.build()), options.getMaxInFlight());
    } catch (AuthenticationException e) {
      throw failure("user, password, token or key is wrong or missing");
    } catch (IOException e) {
      throw failure("cannot connect");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure("interrupted");
    }
  }

  private char[] seed(String file) {
    try {
      return Files.readString(Path.of(file)).strip().toCharArray();
    } catch (IOException e) {
      throw failure("nkeyFile: cannot read " + file);
    }
  }

  private static char[] chars(@Nullable String text) {
    return text == null ? new char[0] : text.toCharArray();
  }

  SinkException failure(String reason) {
    return SinkException.transientFailure(text(reason));
  }

  /**
   * The failure in words for the operator, with its cause: the server's refusal, if there was one.
   */
  SinkException explain(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null && !(root instanceof SinkException)) {
      root = root.getCause();
    }
    if (root instanceof SinkException known) {
      return known;
    }
    String reason = root.getMessage() == null ? root.toString() : root.getMessage();
    return SinkException.transientFailure(text(reason), root);
  }

  private String text(@Nullable String reason) {
    return "jetstream at " + addresses + ": " + reason;
  }
}
