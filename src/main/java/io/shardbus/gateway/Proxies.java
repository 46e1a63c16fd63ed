package io.shardbus.gateway;

import io.netty.handler.ipfilter.IpFilterRuleType;
import io.netty.handler.ipfilter.IpSubnetFilterRule;
import io.netty.util.NetUtil;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.HostAndPort;
import io.vertx.core.net.SocketAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the trusted proxies say about a request: who sent it, and to which address. {@code
 * Forwarded} (RFC 7239) comes before the {@code X-Forwarded} headers. Safe for any thread.
 */
final class Proxies {

  private static final Pattern PARAMETER =
      Pattern.compile("\\s*([\\w!#$%&'*+.^`|~-]+)=(\"(?:[^\"\\\\]|\\\\.)*\"|[^;,\"\\s]*)\\s*[;,]?");

  /** An address, perhaps with a port. IPv6 may stand in brackets. */
  private static final Pattern ADDRESS =
      Pattern.compile("\\[([^\\]]+)\\](?::\\d+)?|([^:]+)(?::\\d+)?|([0-9a-fA-F:.]+)");

  private final List<IpSubnetFilterRule> trusted = new ArrayList<>();

  /**
   * @param list addresses and networks, separated by commas; null for none
   * @throws IllegalArgumentException naming the one that is wrong
   */
  Proxies(@Nullable String list) {
    if (list != null) {
      for (String each : list.split(",", -1)) {
        trusted.add(rule(each.strip()));
      }
    }
  }

  private static IpSubnetFilterRule rule(String text) {
    String[] parts = text.split("/", 2);
    try {
      int bits = NetUtil.isValidIpV4Address(parts[0]) ? 32 : 128;
      if (NetUtil.createByteArrayFromIpAddressString(parts[0]) != null) {
        int prefix = parts.length == 1 ? bits : Integer.parseInt(parts[1]);
        if (prefix >= 0 && prefix <= bits) {
          return new IpSubnetFilterRule(parts[0], prefix, IpFilterRuleType.ACCEPT);
        }
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new IllegalArgumentException(
        "trustedProxies: \"" + text + "\" must be an address or a network such as 10.0.0.0/8");
  }

  /** Whether an address is one of them. */
  boolean trusts(@Nullable SocketAddress address) {
    return address != null && address.hostAddress() != null && trusts(address.hostAddress());
  }

  private boolean trusts(String address) {
    byte[] bytes = trusted.isEmpty() ? null : NetUtil.createByteArrayFromIpAddressString(address);
    if (bytes == null) {
      return false;
    }
    try {
      InetSocketAddress socket = new InetSocketAddress(InetAddress.getByAddress(bytes), 0);
      return trusted.stream().anyMatch(rule -> rule.matches(socket));
    } catch (UnknownHostException e) {
      return false;
    }
  }

  /** The address that stands for the client of a request. */
  String client(HttpServerRequest request) {
    return network(address(request));
  }

  private @Nullable String address(HttpServerRequest request) {
    SocketAddress peer = request.remoteAddress();
    String known = peer == null ? null : peer.hostAddress();
    if (!trusts(peer)) {
      return known;
    }
    List<String> hops = hops(request);
    // From the nearest on: what stands before an untrusted one could be invented.
    for (int i = hops.size() - 1; i >= 0 && known != null && trusts(known); i--) {
      Matcher matcher = ADDRESS.matcher(hops.get(i));
      String next = matcher.matches() ? firstGroup(matcher) : "";
      if (NetUtil.createByteArrayFromIpAddressString(next) == null) {
        break; // hidden or unknown
      }
      known = next;
    }
    return known;
  }

  private static String firstGroup(Matcher matcher) {
    for (int i = 1; i <= matcher.groupCount(); i++) {
      if (matcher.group(i) != null) {
        return matcher.group(i);
      }
    }
    return "";
  }

  private static List<String> hops(HttpServerRequest request) {
    if (request.headers().contains("Forwarded")) {
      return forwarded(request, "for");
    }
    List<String> hops = new ArrayList<>();
    for (String line : request.headers().getAll("X-Forwarded-For")) {
      for (String hop : line.split(",", -1)) {
        hops.add(hop.strip());
      }
    }
    return hops;
  }

  private static List<String> forwarded(HttpServerRequest request, String name) {
    List<String> values = new ArrayList<>();
    Matcher matcher = PARAMETER.matcher(String.join(",", request.headers().getAll("Forwarded")));
    while (matcher.find()) {
      if (matcher.group(1).equalsIgnoreCase(name)) {
        String value = HeaderText.unquote(matcher.group(2));
        values.add(value == null ? "" : value);
      }
    }
    return values;
  }

  /** The last value that a trusted proxy gave; null for none. */
  private @Nullable String said(HttpServerRequest request, String name, String header) {
    if (!trusts(request.remoteAddress())) {
      return null;
    }
    List<String> values =
        request.headers().contains("Forwarded")
            ? forwarded(request, name)
            : request.headers().getAll(header);
    if (values.isEmpty()) {
      return null;
    }
    String last = values.get(values.size() - 1);
    return last.substring(last.lastIndexOf(',') + 1).strip();
  }

  /** Whether the client used https. */
  boolean secure(HttpServerRequest request) {
    String scheme = said(request, "proto", "X-Forwarded-Proto");
    return scheme == null ? request.isSSL() : scheme.equalsIgnoreCase("https");
  }

  /** The address that the client used; null if it used none. */
  @Nullable HostAndPort authority(HttpServerRequest request) {
    String host = said(request, "host", "X-Forwarded-Host");
    return host == null ? request.authority() : HostAndPort.parseAuthority(host, -1);
  }

  /**
   * The name of a client in limits. For IPv6 it is the network of 64 bits, because a client has all
   * addresses of its network.
   */
  static String network(@Nullable String host) {
    if (host == null || host.indexOf(':') < 0) {
      return String.valueOf(host);
    }
    byte[] bytes = NetUtil.createByteArrayFromIpAddressString(host);
    return bytes == null || bytes.length != 16
        ? host
        : HexFormat.of().formatHex(bytes, 0, 8) + "::/64";
  }
}
