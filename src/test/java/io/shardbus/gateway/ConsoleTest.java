package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.net.http.HttpRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.logging.LogType;

/** The numbers of the console, its connection and its settings. */
class ConsoleTest extends ConsolePage {

  private void postBroken() throws Exception {
    send(
        request("/v1/events")
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{"))
            .build());
  }

  /** The totals as the page adds them up. */
  private Map<String, Long> totals() throws Exception {
    JsonObject stats = api("/v1/stats");
    long refused = 0;
    for (Map.Entry<String, Object> reason : stats.getJsonObject("refused")) {
      refused += ((Number) reason.getValue()).longValue();
    }
    return Map.of(
        "accepted", stats.getLong("accepted"),
        "delivered", stats.getLong("delivered"),
        "pending", stats.getLong("pendingInRings") + stats.getLong("inFlight"),
        "refused", refused,
        "evicted", stats.getLong("evicted"),
        "deadLettered", stats.getLong("deadLettered"));
  }

  @Test
  void numbersUnderLoad_lieBetweenThoseOfTheApiBeforeAndAfter() throws Exception {
    open();
    long timer = load();
    for (int i = 0; i < 3; i++) {
      Map<String, Long> before = totals();
      soon().until(() -> shown().get("accepted") > before.get("accepted"));
      Map<String, Long> shown = shown();
      Map<String, Long> after = totals();
      assertThat(shown).containsOnlyKeys(before.keySet());
      for (String grows : List.of("accepted", "delivered", "refused", "evicted", "deadLettered")) {
        assertThat(shown.get(grows)).as(grows).isBetween(before.get(grows), after.get(grows));
      }
    }
    vertx.cancelTimer(timer);
    assertNoErrors();
  }

  private void assertShardsAreShown() throws Exception {
    List<WebElement> rows = browser.findElements(By.cssSelector("#shard-rows tr"));
    assertThat(rows).hasSize(3);
    for (Object each : api("/v1/shards").getJsonArray("shards")) {
      JsonObject shard = (JsonObject) each;
      assertThat(
              rows.get(shard.getInteger("id")).findElements(By.cssSelector("[role=cell]")).stream()
                  .limit(7)
                  .map(WebElement::getText))
          .containsExactly(
              "" + shard.getInteger("id"),
              shard.getString("state"),
              "0.0 %",
              "0",
              "0",
              "1.00",
              shard.getLong("deadLettered") > 0 ? "refusing" : "good");
    }
  }

  @Test
  void numbersAfterLoad_areThoseOfTheApi() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.hang();
    open(sink);
    for (int i = 0; i < 60_000; i++) {
      bus.ingest(RawEvent.of("burst " + i));
    }
    sink.heal();
    await(bus.flush());
    sink.fail(SinkException.permanentFailure("poison"));
    bus.ingest(RawEvent.of("poison"));
    bus.ingest(RawEvent.of(new byte[17 << 20]));
    await(bus.flush());
    Map<String, Long> totals = totals();
    assertThat(totals.get("refused")).isGreaterThan(1);
    assertThat(totals.get("deadLettered")).isEqualTo(1);
    soon().untilAsserted(() -> assertThat(shown()).isEqualTo(totals));
    JsonObject refused = api("/v1/stats").getJsonObject("refused");
    assertThat(refused.getLong("too_large")).isEqualTo(1);
    assertThat(browser.findElements(By.cssSelector("#refusals dd")))
        .extracting(row -> Long.valueOf(row.getText().replace(",", "")))
        .containsExactlyElementsOf(
            refused.stream().map(reason -> ((Number) reason.getValue()).longValue()).toList());
    soon().untilAsserted(this::assertShardsAreShown);
    postBroken();
    soon().until(() -> find("refusals").getText().contains("before the bus: no JSON or no key\n1"));
    soon().until(() -> said("latency-chart").contains("median"));
    assertThat(find("sink").getText()).contains("refusing for 1 of 3 shards");
    assertNoErrors();
    assertThat(requests("url")).isNotEmpty().allMatch(url -> url.startsWith(origin() + "/"));
  }

  /** A field of all requests that the page sent. */
  private static List<String> requests(String field) {
    return browser.manage().logs().get(LogType.PERFORMANCE).getAll().stream()
        .map(entry -> new JsonObject(entry.getMessage()).getJsonObject("message"))
        .filter(message -> message.getString("method").equals("Network.requestWillBeSent"))
        .map(message -> message.getJsonObject("params").getJsonObject("request"))
        .map(request -> String.valueOf(request.getValue(field)))
        .filter(value -> !value.startsWith("about:"))
        .toList();
  }

  @Test
  void serverThatStops_isSaidAndComesBack() throws Exception {
    open();
    int port = gateway.port();
    await(gateway.close());
    awaitState("lost");
    assertThat(find("connection").getText()).contains("does not answer");
    gateway = await(Gateway.start(vertx, bus, new GatewayOptions().setPort(port), registry));
    awaitState("live");
    bus.ingest(RawEvent.of("{}"));
    soon().until(() -> number("total-accepted") == 1);
    assertThat(find("connection").getText()).isEqualTo("live");
  }

  /** Else it would look as if the server were at fault. */
  @Test
  void faultOfThePage_isSeenInTheBrowser() throws Exception {
    open();
    assertNoErrors();
    browser.executeScript("document.getElementById('refusals').remove()");
    awaitState("lost");
    assertThat(browser.manage().logs().get(LogType.BROWSER).getAll())
        .anyMatch(entry -> entry.getMessage().contains("TypeError"));
  }

  @Test
  void charts_showTheTimeBeforeThePageWasOpened() throws Exception {
    open();
    long timer = load();
    soon().until(() -> said("rate-chart").matches(".*now: accepted [1-9].*"));
    vertx.cancelTimer(timer);
    browser.navigate().refresh();
    soon().until(() -> said("rate-chart").contains("now: accepted"));
    assertThat(
            browser.executeScript(
                "return Chart.getChart('rate-chart').data.datasets[0].data[0].x <"
                    + " performance.timeOrigin"))
        .isEqualTo(true);
    find("history-of").findElement(By.cssSelector("option[value='1']")).click();
    JsonArray accepted =
        api("/v1/history?shard=1").getJsonObject("series").getJsonArray("accepted");
    soon()
        .untilAsserted(
            () ->
                assertThat(
                        (List<?>)
                            browser.executeScript(
                                "return Chart.getChart('rate-chart').data.datasets[0].data.map(p =>"
                                    + " String(p.y))"))
                    .asString()
                    .startsWith("[" + accepted.getValue(0)));
    soon().until(() -> said("heap-chart").contains("Heap in use now"));
    assertThat(find("about").getText()).matches("Up \\d+ s.*, heap .* of .*");
    assertNoErrors();
  }

  @Test
  void pageWithoutTheLibraryOfCharts_showsTheRest() throws Exception {
    browser.executeCdpCommand("Network.enable", Map.of());
    browser.executeCdpCommand("Network.setBlockedURLs", Map.of("urls", List.of("*chart.umd*")));
    open();
    soon().until(() -> browser.findElements(By.cssSelector("#shard-rows tr")).size() == 3);
    assertThat(find("history").isDisplayed()).isFalse();
    browser.executeCdpCommand("Network.setBlockedURLs", Map.of("urls", List.of()));
  }

  @Test
  void axes_haveWholeNumbers() throws Exception {
    open();
    bus.ingest(RawEvent.of("1"));
    soon().until(() -> said("scaling-chart").contains("now: shards 3"));
    for (String chart : List.of("rate-chart", "scaling-chart")) {
      List<?> ticks =
          (List<?>)
              browser.executeScript(
                  "return Chart.getChart(arguments[0]).scales.y.ticks.map((tick) => tick.value)",
                  chart);
      assertThat(ticks).as(chart).isNotEmpty().allMatch(tick -> tick instanceof Long);
    }
  }

  @Test
  void settings_areShownAndChanged() throws Exception {
    open();
    find("settings").findElement(By.tagName("summary")).click();
    soon().until(() -> browser.findElement(By.name("maxShards")).isDisplayed());
    WebElement most = browser.findElement(By.name("maxShards"));
    most.clear();
    most.sendKeys("6", Keys.ENTER);
    soon().until(() -> find("message").getText().equals("Scaling policy changed: maxShards."));
    assertThat(bus.scalingPolicy().getMaxShards()).isEqualTo(6);
    most = browser.findElement(By.name("maxShards"));
    most.clear();
    most.sendKeys("0", Keys.ENTER);
    soon().until(() -> find("message").getText().startsWith("Not changed: "));
    assertThat(bus.scalingPolicy().getMaxShards()).isEqualTo(6);
    screenshot("settings");
  }

  @Test
  void token_isAskedForAndSentWithEveryRequest() throws Exception {
    TokenOptions tokens =
        new TokenOptions().setRead("reader-0123456789").setAdmin("admin-0123456789");
    open(Sinks.create(new SinkOptions("memory")), new GatewayOptions().setToken(tokens));
    awaitState("refused");
    soon().until(() -> find("token").isDisplayed());
    find("token").sendKeys("t€ken", Keys.ENTER);
    soon().until(() -> find("token").isDisplayed());
    find("token").sendKeys("reader-0123456789", Keys.ENTER);
    awaitState("live");
    find("tail-button").click();
    soon().until(() -> find("tail-state").getText().startsWith("Following"));
    bus.ingest(RawEvent.of("{\"secret\":1}"));
    soon().until(() -> find("tail").getText().contains("{\"secret\":1}"));
    find("tail-button").click();

    find("add-button").click();
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
    soon().until(() -> find("message").getText().contains("must have the role admin"));
    browser.findElement(By.cssSelector("#access summary")).click();
    find("token").sendKeys("admin-0123456789", Keys.ENTER);
    soon().until(() -> find("letters").getText().contains("may not read events"));
    find("add-button").click();
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
    soon().until(() -> bus.shards().numShards() == 4);
    assertThat(browser.executeScript("return localStorage.length")).isEqualTo(0L);
    assertThat(browser.getCurrentUrl()).isEqualTo(origin() + "/");
  }

  /** The page of an application that mounts the gateway. */
  @Test
  void pageUnderAPath_showsTheBusAndScalesIt() throws Exception {
    bus =
        await(
            ShardBus.start(
                vertx,
                new ShardBusOptions()
                    .setShards(3)
                    .setScaling(ScalingPolicy.defaults(8).setAutoScale(false)),
                Sinks.create(new SinkOptions("memory"))));
    Router app = Router.router(vertx);
    Router mine = Router.router(vertx);
    Gateway.mount(mine, bus, new GatewayOptions());
    app.route("/tools/bus/*").subRouter(mine);
    int port = await(vertx.createHttpServer().requestHandler(app).listen(0)).actualPort();
    bus.ingest(RawEvent.of("{}"));
    browser.get("http://127.0.0.1:" + port + "/tools/bus");
    awaitState("live");
    soon().until(() -> browser.findElements(By.cssSelector("#shards tbody tr")).size() == 3);
    assertThat(browser.getCurrentUrl()).endsWith("/tools/bus/");
  }
}
