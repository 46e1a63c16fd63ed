package io.shardbus.gateway;

import io.shardbus.files.FileFault;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The tokens in force: those of the options, and those of a file that may change. */
final class TokenStore {

  private static final Logger LOG = LoggerFactory.getLogger(TokenStore.class);

  private final TokenOptions options;
  private final @Nullable Path file;
  private volatile Tokens tokens;

  /** Reads the file; blocks. Throws {@link IllegalArgumentException} if it cannot be used. */
  TokenStore(GatewayOptions gateway) {
    options = gateway.getToken();
    file = files(gateway).stream().findFirst().orElse(null);
    tokens = read();
  }

  static List<Path> files(GatewayOptions gateway) {
    String name = gateway.getTokensFile();
    return name == null ? List.of() : List.of(Path.of(name));
  }

  Tokens tokens() {
    return tokens;
  }

  /**
   * Whether no token is needed: none was configured when the server started. If all tokens are
   * taken out of the file later, no request is let in.
   */
  boolean open() {
    return file == null && tokens.isEmpty();
  }

  /** Reads the file again; blocks. A bad file leaves the tokens as they are. */
  void reload() {
    try {
      tokens = read();
      LOG.info(file + " read again: " + tokens.count() + " tokens");
    } catch (IllegalArgumentException e) {
      LOG.error("the tokens are unchanged: " + e.getMessage());
    }
  }

  private Tokens read() {
    if (file == null) {
      return Tokens.of(options, List.of(), "");
    }
    try {
      warnIfOthersCanRead(file);
      return Tokens.of(options, Files.readAllLines(file), "tokensFile: " + file);
    } catch (IOException e) {
      throw FileFault.argument("tokensFile: " + file + " cannot be read", e);
    }
  }

  private static void warnIfOthersCanRead(Path file) throws IOException {
    try {
      Set<PosixFilePermission> allowed = Files.getPosixFilePermissions(file);
      if (allowed.contains(PosixFilePermission.OTHERS_READ)) {
        LOG.warn("tokensFile: " + file + " can be read by every user of this machine: chmod o-r");
      }
    } catch (UnsupportedOperationException e) {
      // a file system without such permissions
    }
  }
}
