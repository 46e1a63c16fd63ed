package io.shardbus.options;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The server in a URL. Other than in {@link URI#getHost}, the name of the host may have
 * underscores, as the names that Compose gives have.
 *
 * @param scheme such as {@code http}, in lower case
 * @param userInfo user and password, as they are written; null if there are none
 * @param host a name, an IPv4 address, or an IPv6 address in brackets
 * @param port its port; -1 if none is given
 */
public record ServerAddress(String scheme, @Nullable String userInfo, String host, int port) {

  private static final Pattern AUTHORITY =
      Pattern.compile("(?:(.*)@)?([A-Za-z0-9_.-]+|\\[[0-9A-Fa-f:.]+])(?::(\\d{1,5}))?");

  /**
   * Reads a URL.
   *
   * @param url the URL
   * @param schemes the allowed schemes
   * @return empty if it is not a URL with one of the schemes and a host
   */
  public static Optional<ServerAddress> parse(String url, String... schemes) {
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
    String authority = uri.getRawAuthority();
    if (uri.getScheme() == null
        || authority == null
        || !Arrays.asList(schemes).contains(uri.getScheme())) {
      return Optional.empty();
    }
    Matcher parts = AUTHORITY.matcher(authority);
    if (!parts.matches()) {
      return Optional.empty();
    }
    int port = parts.group(3) == null ? -1 : Integer.parseInt(parts.group(3));
    return port > 65_535
        ? Optional.empty()
        : Optional.of(new ServerAddress(uri.getScheme(), parts.group(1), parts.group(2), port));
  }

  /**
   * The URL with an address in place of a host with an underscore, for clients that take no such
   * host. Blocks.
   *
   * @param url what was {@link #parse parsed}
   * @return the URL for such a client; the same if the host has no underscore, or is not known
   */
  public String resolve(String url) {
    if (host.indexOf('_') < 0) {
      return url;
    }
    try {
      String address = InetAddress.getByName(host).getHostAddress();
      int at = url.indexOf(host, scheme.length() + 3 + (userInfo == null ? 0 : userInfo.length()));
      return url.substring(0, at)
          + (address.indexOf(':') < 0 ? address : '[' + address + ']')
          + url.substring(at + host.length());
    } catch (UnknownHostException e) {
      return url;
    }
  }

  /**
   * The server, for messages.
   *
   * @param defaultPort the port if none is given
   * @return {@code host:port}
   */
  public String text(int defaultPort) {
    return host + ":" + (port < 0 ? defaultPort : port);
  }
}
