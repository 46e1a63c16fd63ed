package io.shardbus.gateway;

import io.netty.handler.ipfilter.IpFilterRuleType;
import io.netty.handler.ipfilter.IpSubnetFilterRule;
import io.netty.util.NetUtil;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.HostAndPort;
import io.vertx.core.net.SocketAddress;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the trusted proxies say about a request: who sent it, and to which address. {@code
 * Forwarded} (RFC 7239) comes before the {@code X-Forwarded} headers. Safe for any thread.
 */
final class Proxies {

  /** One parameter, or none, and what ends it. */
  private static final Pattern PARAMETER =
      Pattern.compile(
          "\\G\\s*(?:([\\w!#$%&'*+.^`|~-]+)=(\"(?:[^\"\\\\]|\\\\.)*+\"|[^;,\"\\s]*)\\s*)?([;,]|$)");

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
    InetAddress parsed = trusted.isEmpty() ? null : address(address);
    if (parsed == null) {
      return false;
    }
    InetSocketAddress socket = new InetSocketAddress(parsed, 0);
    return trusted.stream().anyMatch(rule -> rule.matches(socket));
  }

  /**
   * What is known of the sender of a request.
   *
   * @param address its own; null if it has none
   * @param scheme that it used, as the proxies say; null if they do not
   * @param host that it asked for, as the proxies say; null if they do not
   */
  private record Sender(@Nullable String address, @Nullable String scheme, @Nullable String host) {}

  private Sender sender(HttpServerRequest request) {
    SocketAddress peer = request.remoteAddress();
    String known = peer == null ? null : peer.hostAddress();
    String scheme = null;
    String host = null;
    if (known == null || !trusts(known)) {
      return new Sender(known, null, null);
    }
    boolean standard = request.headers().contains("Forwarded");
    List<Map<String, String>> hops = standard ? forwarded(request) : xForwarded(request);
    if (!standard) {
      scheme = last(request, "X-Forwarded-Proto");
      host = last(request, "X-Forwarded-Host");
    }
    // From the nearest on: what stands before an untrusted one could be invented.
    for (int i = hops.size() - 1; i >= 0 && trusts(known); i--) {
      scheme = hops.get(i).getOrDefault("proto", scheme);
      host = hops.get(i).getOrDefault("host", host);
      Matcher matcher = ADDRESS.matcher(hops.get(i).getOrDefault("for", ""));
      String next = matcher.matches() ? firstGroup(matcher) : "";
      if (NetUtil.createByteArrayFromIpAddressString(next) == null) {
        break; // hidden or unknown
      }
      known = next;
    }
    return new Sender(known, scheme, host);
  }

  private static String firstGroup(Matcher matcher) {
    for (int i = 1; i <= matcher.groupCount(); i++) {
      if (matcher.group(i) != null) {
        return matcher.group(i);
      }
    }
    return "";
  }

  private static List<Map<String, String>> xForwarded(HttpServerRequest request) {
    List<Map<String, String>> hops = new ArrayList<>();
    for (String line : request.headers().getAll("X-Forwarded-For")) {
      for (String hop : line.split(",", -1)) {
        hops.add(Map.of("for", hop.strip()));
      }
    }
    return hops;
  }

  /** The last value: that of the nearest proxy. */
  private static @Nullable String last(HttpServerRequest request, String header) {
    String all = String.join(",", request.headers().getAll(header));
    return all.isBlank() ? null : all.substring(all.lastIndexOf(',') + 1).strip();
  }

  /**
   * The parameters of each hop. None at all if the header is malformed: a client could have begun a
   * quotation that hides what a proxy adds.
   */
  private static List<Map<String, String>> forwarded(HttpServerRequest request) {
    List<Map<String, String>> hops = new ArrayList<>();
    Map<String, String> hop = new HashMap<>();
    Matcher matcher = PARAMETER.matcher(String.join(",", request.headers().getAll("Forwarded")));
    while (matcher.find()) {
      if (matcher.group(1) != null) {
        String value = HeaderText.unquote(matcher.group(2));
        if (value == null || hop.put(matcher.group(1).toLowerCase(Locale.ROOT), value) != null) {
          return List.of();
        }
      }
      if (!matcher.group(3).equals(";")) {
        hops.add(hop);
        hop = new HashMap<>();
        if (matcher.hitEnd() && matcher.group(3).isEmpty()) {
          hops.removeIf(Map::isEmpty); // a comma too many
          return hops;
        }
      }
    }
    return List.of();
  }

  /** The address that stands for the client of a request. */
  String client(HttpServerRequest request) {
    return network(sender(request).address());
  }

  /** The origin of the URL that the client used; null if it named no host, or a malformed one. */
  @Nullable String origin(HttpServerRequest request) {
    Sender sender = sender(request);
    HostAndPort authority =
        sender.host() == null ? request.authority() : HostAndPort.parseAuthority(sender.host(), -1);
    boolean secure =
        sender.scheme() == null ? request.isSSL() : sender.scheme().equalsIgnoreCase("https");
    return authority == null ? null : (secure ? "https://" : "http://") + authority;
  }

  /**
   * The name of a client in limits. For IPv6 it is the network of 64 bits, because a client has all
   * addresses of its network.
   */
  static String network(@Nullable String host) {
    if (host == null || host.indexOf(':') < 0) {
      return String.valueOf(host);
    }
    InetAddress address = address(host);
    if (address instanceof Inet4Address) { // ::ffff:192.0.2.1
      return address.getHostAddress();
    }
    return address == null ? host : HexFormat.of().formatHex(address.getAddress(), 0, 8) + "::/64";
  }

  private static @Nullable InetAddress address(String text) {
    byte[] bytes = NetUtil.createByteArrayFromIpAddressString(text);
    try {
      return bytes == null ? null : InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      return null; // it has 4 or 16 bytes
    }
  }
}
