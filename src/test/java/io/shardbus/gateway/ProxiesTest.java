package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is believed of the headers of proxies. The peer of all requests here is 127.0.0.1. */
class ProxiesTest {

  private static final Vertx VERTX = Vertx.vertx();
  private static final String TRUSTED = "127.0.0.1, 10.0.0.0/8, 2001:db8:a::/48";

  @AfterAll
  static void end() throws Exception {
    TestGateway.await(VERTX.close());
  }

  /** The client's address, and the origin of its URL, as a server sees them. */
  private static String seen(String trusted, String... headers) throws Exception {
    Proxies proxies = new Proxies(trusted);
    var server =
        TestGateway.await(
            VERTX
                .createHttpServer()
                .requestHandler(
                    request ->
                        request
                            .response()
                            .end(proxies.client(request) + " " + proxies.origin(request)))
                .listen(0, "127.0.0.1"));
    var client = VERTX.createHttpClient();
    try {
      return TestGateway.await(
          client
              .request(HttpMethod.GET, server.actualPort(), "127.0.0.1", "/")
              .compose(
                  request -> {
                    request.putHeader("Host", "own");
                    for (int i = 0; i < headers.length; i += 2) {
                      request.headers().add(headers[i], headers[i + 1]);
                    }
                    // Before it is sent, so that no part of the answer is missed.
                    var body = request.response().compose(answer -> answer.body());
                    return request.end().compose(sent -> body);
                  })
              .map(Object::toString));
    } finally {
      TestGateway.await(client.close());
      TestGateway.await(server.close());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "for=192.0.2.1;proto=https;host=bus.example                  | 192.0.2.1"
            + " https://bus.example",
        "For=192.0.2.1;PROTO=HTTPS;Host=bus.example:8443             | 192.0.2.1"
            + " https://bus.example:8443",
        "for=192.0.2.1:4711                                          | 192.0.2.1 http://own",
        "for=\"[2001:db8::1]:4711\";host=\"[2001:db8::2]:443\"       | 20010db800000000::/64"
            + " http://[2001:db8::2]:443",
        "for=\"[2001:db8::1]\"                                       | 20010db800000000::/64"
            + " http://own",
        "for=\"[::ffff:192.0.2.1]\"                                  | 192.0.2.1 http://own",
        "for=192.0.2.1 ; proto=https , for=10.0.0.1;proto=http       | 192.0.2.1 https://own",
        "for=192.0.2.1;proto=https;host=a, for=\"[2001:db8:a::1]\"   | 192.0.2.1 https://a",
        "for=192.0.2.9;proto=https;host=evil, for=192.0.2.1          | 192.0.2.1 http://own",
        "for=192.0.2.9;proto=https;host=evil, by=10.0.0.1            | 127.0.0.1 http://own",
        "for=192.0.2.9, for=unknown;proto=https                      | 127.0.0.1 https://own",
        "for=192.0.2.9, for=_hidden                                  | 127.0.0.1 http://own",
        "for=192.0.2.9, for=999.0.2.1                                | 127.0.0.1 http://own",
        "for=192.0.2.1,                                              | 192.0.2.1 http://own",
        "for=192.0.2.1;host=\"a\\b\"                                 | 192.0.2.1 http://ab",
        "for=192.0.2.1;by=\"LONG\"                                  | 192.0.2.1 http://own",
        "for=192.0.2.1;host=\"a b/c\"                                | 192.0.2.1 null",
        "for=\"192.0.2.1                                             | 127.0.0.1 http://own",
        "for=192.0.2.9;proto=https;host=\"x, for=192.0.2.1;host=\"y\" | 127.0.0.1 http://own",
        "for=192.0.2.1;for=192.0.2.2                                 | 127.0.0.1 http://own",
        "192.0.2.1                                                   | 127.0.0.1 http://own",
        "for = 192.0.2.1                                             | 127.0.0.1 http://own",
        "``                                                          | 127.0.0.1 http://own"
      })
  void forwarded_saysWhoSentIt(String header, String who) throws Exception {
    header = header.replace("LONG", "x".repeat(7_000)); // a pattern could need too deep a stack
    assertThat(seen(TRUSTED, "Forwarded", header)).isEqualTo(who);
    assertThat(seen(null, "Forwarded", header))
        .as("nobody trusted")
        .isEqualTo("127.0.0.1 http://own");
    assertThat(seen("192.0.2.0/24", "Forwarded", header))
        .as("others trusted")
        .isEqualTo("127.0.0.1 http://own");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "192.0.2.1                        | https       | bus.example      | 192.0.2.1"
            + " https://bus.example",
        "192.0.2.9, 192.0.2.1             | http        | bus.example:81   | 192.0.2.1"
            + " http://bus.example:81",
        "192.0.2.1, 10.1.2.3,2001:db8:a::9| https       | evil, bus        | 192.0.2.1 https://bus",
        "192.0.2.1:4711                   | http, HTTPS | [2001:db8::1]:80 | 192.0.2.1"
            + " https://[2001:db8::1]:80",
        "2001:db8::1                      | ftp         | own              | 20010db800000000::/64"
            + " http://own",
        "[2001:db8::1]:4711               | http        | own              | 20010db800000000::/64"
            + " http://own",
        "::ffff:192.0.2.1                 | http        | own              | 192.0.2.1 http://own",
        "192.0.2.9, unknown               | http        | a b              | 127.0.0.1 null",
        "192.0.2.9,                       | http        | own              | 127.0.0.1 http://own",
        "10.0.0.1                         | http        | own              | 10.0.0.1 http://own",
        "``                               | ``          | ``               | 127.0.0.1 http://own"
      })
  void xForwarded_saysIt(String client, String scheme, String host, String who) throws Exception {
    String[] headers = {
      "X-Forwarded-For", client, "X-Forwarded-Proto", scheme, "X-Forwarded-Host", host
    };
    assertThat(seen(TRUSTED, headers)).isEqualTo(who);
    assertThat(seen("10.0.0.0/8", headers)).as("not the peer").isEqualTo("127.0.0.1 http://own");
  }

  @Test
  void linesOfAHeader_areOneList() throws Exception {
    assertThat(seen(TRUSTED, "X-Forwarded-For", "192.0.2.9", "X-Forwarded-For", "192.0.2.1"))
        .startsWith("192.0.2.1 ");
    assertThat(seen(TRUSTED, "Forwarded", "for=192.0.2.9", "Forwarded", "for=192.0.2.1"))
        .startsWith("192.0.2.1 ");
    assertThat(seen(TRUSTED, "Forwarded", "for=\"192.0.2.9", "Forwarded", "for=192.0.2.1"))
        .as("a quotation that a client began")
        .startsWith("127.0.0.1 ");
    assertThat(seen(TRUSTED, "X-Forwarded-For", "192.0.2.9", "Forwarded", "for=192.0.2.1"))
        .as("the standard comes first")
        .startsWith("192.0.2.1 ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.0.0.0/33",
        "::1/129",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "localhost",
        "127.0.0.1,",
        " "
      })
  void proxiesThatAreNone_areRefused(String list) {
    assertThatThrownBy(() -> new Proxies(list))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("trustedProxies: \"")
        .hasMessageContaining("must be an address or a network");
  }
}
