package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.BusStats;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.metrics.BusMetrics;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.shardbus.testing.Ports;
import io.shardbus.testing.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** The page in a real browser. */
@Tag("browser")
class ConsoleTest {

  private static final Path BROWSER = Path.of("/usr/bin/chromium");
  private static final Path DRIVER = Path.of("/usr/bin/chromedriver");

  @TempDir static Path profile;
  private static ChromeDriver browser;

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final AtomicLong sent = new AtomicLong();
  private Vertx vertx;
  private ShardBus bus;
  private Gateway gateway;

  @BeforeAll
  static void openBrowser() {
    assumeTrue(Files.isExecutable(BROWSER), BROWSER + " is not installed");
    assumeTrue(Files.isExecutable(DRIVER), DRIVER + " is not installed");
    ChromeOptions options = new ChromeOptions();
    options.setBinary(BROWSER.toFile());
    options.addArguments(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--window-size=1280,1600",
        "--user-data-dir=" + profile);
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    logs.enable(LogType.PERFORMANCE, Level.ALL);
    options.setCapability("goog:loggingPrefs", logs);
    browser =
        new ChromeDriver(
            new ChromeDriverService.Builder().usingDriverExecutable(DRIVER.toFile()).build(),
            options);
    // As in a window in front: else no element has :focus once the browser's own controls had it.
    browser.executeCdpCommand("Emulation.setFocusEmulationEnabled", Map.of("enabled", true));
  }

  @AfterAll
  static void closeBrowser() {
    if (browser != null) {
      browser.quit();
    }
  }

  @BeforeEach
  void setUp() {
    vertx = Vertx.vertx();
  }

  @AfterEach
  void tearDown() throws Exception {
    browser.get("about:blank");
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static ConditionFactory soon() {
    return Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(100))
        .ignoreExceptions();
  }

  private void open(Sink sink) throws Exception {
    open(sink, new GatewayOptions());
    awaitState("live");
  }

  private void open(Sink sink, GatewayOptions gatewayOptions) throws Exception {
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(3)
            .setRingCapacity(1024)
            .setBackpressure(BackpressureMode.DROP_NEWEST)
            .setScaling(ScalingPolicy.defaults(8).setAutoScale(false));
    options
        .getDelivery()
        .setInitialBackoff(Duration.ofMillis(10))
        .setMaxBackoff(Duration.ofMillis(200));
    bus = await(ShardBus.start(vertx, options, sink));
    new BusMetrics(bus).bindTo(registry);
    gateway = await(Gateway.start(vertx, bus, gatewayOptions.setPort(Ports.free()), registry));
    browser.manage().logs().get(LogType.PERFORMANCE);
    browser.manage().logs().get(LogType.BROWSER);
    browser.get(origin() + "/");
  }

  private void open() throws Exception {
    open(Sinks.create(new SinkOptions("memory")));
  }

  private String origin() {
    return "http://127.0.0.1:" + gateway.port();
  }

  private void awaitState(String state) {
    soon().until(() -> state.equals(find("connection").getDomAttribute("data-state")));
  }

  private static WebElement find(String id) {
    return browser.findElement(By.id(id));
  }

  private static long number(String id) {
    return Long.parseLong(String.valueOf(find(id).getDomAttribute("data-value")));
  }

  private long load() {
    return vertx.setPeriodic(
        10,
        timer -> {
          for (int i = 0; i < 50; i++) {
            long n = sent.getAndIncrement();
            bus.ingest(RawEvent.of("{\"n\":" + n + ",\"user\":\"u" + n % 7 + "\"}"));
          }
        });
  }

  private static void screenshot(String name) throws IOException {
    Path folder = Files.createDirectories(Path.of("target/screenshots"));
    Files.write(folder.resolve(name + ".png"), browser.getScreenshotAs(OutputType.BYTES));
  }

  private static void assertNoErrors() {
    List<LogEntry> errors =
        browser.manage().logs().get(LogType.BROWSER).getAll().stream()
            .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
            .toList();
    assertThat(errors).isEmpty();
  }

  /** What the page shows, by the names of /v1/stats; at one moment. */
  @SuppressWarnings("unchecked")
  private static Map<String, Long> shown() {
    return (Map<String, Long>)
        browser.executeScript(
            """
            const shown = {}
            for (const tile of document.querySelectorAll('[id^=total-]')) {
              shown[tile.id.slice(6)] = Number(tile.textContent.replaceAll(',', ''))
            }
            return shown\
            """);
  }

  private JsonObject api(String path) throws Exception {
    return new JsonObject(send(request(path).build()));
  }

  private void postBroken() throws Exception {
    send(
        request("/v1/events")
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{"))
            .build());
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + gateway.port() + path));
  }

  private static String send(HttpRequest request) throws Exception {
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
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
    Promise<Void> gate = Promise.promise();
    sink.behave(batch -> gate.future());
    open(sink);
    for (int i = 0; i < 60_000; i++) {
      bus.ingest(RawEvent.of("burst " + i));
    }
    gate.complete();
    await(bus.flush());
    sink.behave(batch -> Future.failedFuture(SinkException.permanentFailure("poison")));
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
    assertThat(find("latency-chart").getDomAttribute("aria-label")).contains("median");
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
  void shards_areAddedAndRemovedAfterAQuestion() throws Exception {
    open();
    find("add-button").click();
    soon().until(() -> find("confirm").isDisplayed());
    assertThat(find("confirm-text").getText()).isEqualTo("Add one shard?");
    browser.findElement(By.cssSelector("#confirm button[value=no]")).click();
    soon().until(() -> !find("confirm").isDisplayed());
    assertThat(bus.shards().numShards()).isEqualTo(3);

    find("add-count").sendKeys(Keys.chord(Keys.CONTROL, "a"), "2", Keys.ENTER);
    soon().until(() -> find("confirm").isDisplayed());
    assertThat(find("confirm-text").getText()).isEqualTo("Add 2 shards?");
    find("confirm-yes").sendKeys(Keys.ENTER);
    soon().until(() -> bus.shards().numShards() == 5);
    soon().until(() -> browser.findElements(By.cssSelector("#shard-rows tr")).size() == 5);
    soon().until(() -> find("scalings").getText().contains("added shards 3, 4: 5 active"));

    browser.findElement(By.cssSelector("tr[data-shard='1'] button")).click();
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
    soon().until(() -> browser.findElements(By.cssSelector("tr[data-shard='1']")).isEmpty());
    soon().until(() -> find("scalings").getText().contains("removed shard 1: 4 active"));

    find("add-count").sendKeys(Keys.chord(Keys.CONTROL, "a"), "99", Keys.ENTER);
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
    soon().until(() -> find("message").getText().contains("maxShards is 8"));
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

  @Test
  void tail_showsWhatTheFilterLetsThrough() throws Exception {
    open();
    find("filter").sendKeys("@.n == 7", Keys.ENTER);
    soon().until(() -> find("tail-state").getText().startsWith("Following"));
    long timer = load();
    soon().until(() -> find("tail").getText().contains("{\"n\":7,"));
    vertx.cancelTimer(timer);
    assertThat(browser.findElements(By.cssSelector("#tail li"))).hasSize(1);
    find("tail-button").click();
    soon().until(() -> find("tail-state").getText().equals("Not following."));
    find("filter").sendKeys(Keys.chord(Keys.CONTROL, "a"), "@.n === (", Keys.ENTER);
    soon().until(() -> find("tail-state").getText().contains("filter:"));
  }

  @Test
  void tailOfASinkThatCannotBeRead_endsWithTheReason() throws Exception {
    open(new RecordingSink());
    find("tail-button").click();
    soon().until(() -> find("tail-state").getText().equals("sink recording cannot be read back"));
    assertThat(find("tail-button").getText()).isEqualTo("Follow");
  }

  @Test
  void sinkThatRefusesAll_isNotCalledGood() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.behave(batch -> Future.failedFuture(SinkException.permanentFailure("no")));
    open(sink);
    bus.ingest(RawEvent.of(Buffer.buffer("1"), "key"));
    soon().until(() -> find("sink").getText().contains("refusing for 1 of 3 shards"));
    assertThat(find("shard-rows").getText()).contains("refusing");
    soon().until(() -> find("letters").getText().contains("1 attempt ·"));
    sink.behave(batch -> Future.succeededFuture());
    bus.ingest(RawEvent.of(Buffer.buffer("1"), "key"));
    soon().until(() -> find("sink").getText().startsWith("state\ngood"));
  }

  @Test
  void axes_haveWholeNumbers() throws Exception {
    open();
    bus.ingest(RawEvent.of("1"));
    soon().until(() -> find("rate-chart").getDomAttribute("aria-label") != null);
    for (String chart : List.of("rate-chart", "scaling-chart")) {
      List<?> ticks =
          (List<?>)
              browser.executeScript(
                  "return Chart.getChart(arguments[0]).scales.y.ticks.map((tick) => tick.value)",
                  chart);
      assertThat(ticks).as(chart).isNotEmpty().allMatch(tick -> tick instanceof Long);
    }
  }

  private static String events() {
    return find("events").getText();
  }

  private static void search(String field, String text) {
    find(field).clear();
    find(field).sendKeys(text, Keys.ENTER);
  }

  @Test
  void events_areFoundPageByPageAndOpened() throws Exception {
    open();
    for (int i = 0; i < 60; i++) {
      RawEvent.Builder event = RawEvent.builder(Buffer.buffer("{\"n\":" + i + ",\"tags\":[1,2]}"));
      bus.ingest(event.key("k" + i % 2).id("id" + i).header("source", "test").build());
    }
    await(bus.flush());
    search("browse-key", "k1");
    soon().until(() -> find("browse-state").getText().equals("Page 1: 25 events."));
    assertThat(find("browse-back").isEnabled()).isFalse();
    find("browse-next").click();
    soon().until(() -> find("browse-state").getText().equals("Page 2: 5 events."));
    assertThat(events()).contains("{\"n\":59,").doesNotContain("{\"n\":1,");
    find("browse-back").click();
    soon().until(() -> events().contains("{\"n\":1,"));
    search("browse-filter", "@.n == 7");
    soon().until(() -> find("browse-state").getText().equals("Page 1: 1 event."));
    find("events").findElement(By.tagName("summary")).click();
    soon().until(() -> events().contains("tags: [2 items]"));
    assertThat(events()).contains("id: \"id7\"").contains("source: \"test\"").contains("n: 7");
    browser.executeCdpCommand(
        "Browser.grantPermissions",
        Map.of("permissions", List.of("clipboardReadWrite", "clipboardSanitizedWrite")));
    find("events").findElement(By.tagName("button")).click();
    soon().until(() -> find("message").getText().equals("Copied."));
    screenshot("events");
    search("browse-since", "-1m");
    soon().until(() -> find("browse-state").getText().equals("Page 1: 1 event."));
    search("browse-since", "nonsense");
    soon().until(() -> find("browse-state").getText().startsWith("since: \"nonsense\""));
    assertThat(events()).isEmpty();
  }

  @Test
  void oneDeadLetter_isReplayedOrDeleted() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.behave(batch -> Future.failedFuture(SinkException.permanentFailure("no")));
    open(sink);
    for (int i = 0; i < 3; i++) {
      bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
    }
    soon().until(() -> browser.findElements(By.cssSelector("#letters li button")).size() == 6);
    sink.behave(batch -> Future.succeededFuture());
    click("Replay dead letter 1");
    soon().until(() -> find("message").getText().startsWith("Replayed: 1 delivered"));
    soon().until(() -> browser.findElements(By.cssSelector("#letters li button")).size() == 4);
    click("Delete dead letter 3");
    soon().until(() -> find("message").getText().equals("Deleted: 1."));
    assertThat(bus.stats().deadLettersKept()).isEqualTo(1);
    assertThat(sink.count()).isEqualTo(1);
  }

  private static void click(String label) {
    browser.findElement(By.cssSelector("[aria-label='" + label + "']")).click();
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
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
  void deadLetters_areShownAndReplayed() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.behave(batch -> Future.failedFuture(SinkException.permanentFailure("it is poisonous")));
    open(sink);
    bus.ingest(RawEvent.of("{\"poison\":true}"));
    soon().until(() -> find("letters").getText().contains("it is poisonous"));
    assertThat(find("letters").getText()).contains("{\"poison\":true}");
    soon().until(() -> number("total-deadLettered") == 1);
    sink.behave(batch -> Future.succeededFuture());
    find("replay-button").click();
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
    soon().until(() -> find("message").getText().startsWith("Replayed: 1 delivered"));
    soon().until(() -> find("letters").getText().equals("None."));
    sink.behave(batch -> Future.failedFuture(SinkException.permanentFailure("it is poisonous")));
    bus.ingest(RawEvent.of("{\"poison\":2}"));
    soon().until(() -> find("forget-button").isEnabled());
    find("forget-button").click();
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
    soon().until(() -> find("message").getText().equals("Deleted: 1."));
    soon().until(() -> find("letters").getText().equals("None."));
    assertThat(bus.stats().deadLettersKept()).isZero();
  }

  @Test
  void sinkThatIsDown_isSeenInTheShards() throws Exception {
    RecordingSink sink = new RecordingSink();
    open(sink);
    long timer = load();
    soon().until(() -> sink.count() > 2000);
    sink.behave(batch -> Future.failedFuture(SinkException.transientFailure("no disk")));
    soon()
        .until(
            () ->
                browser.findElements(By.cssSelector("[role=meter]")).stream()
                    .allMatch(m -> Double.parseDouble(m.getDomAttribute("aria-valuenow")) > 90));
    soon().until(() -> number("total-refused") > 0);
    soon().until(() -> find("sink").getText().contains("failing for 3 of 3 shards"));
    assertThat(find("shard-rows").getText()).contains("failing");
    screenshot("down");
    sink.behave(batch -> Future.succeededFuture());
    soon().until(() -> find("sink").getText().contains("good"));
    vertx.cancelTimer(timer);
    assertNoErrors();
  }

  @Test
  void scalingUnderWay_isShownUntilTheShardIsGone() throws Exception {
    Promise<Void> gate = Promise.promise();
    open(new RecordingSink().behave(batch -> gate.future()));
    for (int i = 0; i < 100; i++) {
      bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
    }
    Future<List<Integer>> removed = bus.scaleDown(1);
    soon().until(() -> find("scalings").getText().contains("scaling down …"));
    assertThat(find("scalings").getText()).doesNotContain("removed");
    gate.complete();
    int id = await(removed).get(0);
    soon().until(() -> find("scalings").getText().contains("▼ removed shard " + id + ": 2 active"));
    assertThat(find("scalings").getText()).doesNotContain("…");
    assertNoErrors();
  }

  @Test
  void scalingByThePolicy_isShownWithItsReason() throws Exception {
    open(new RecordingSink());
    assertThat(find("scaling-limit").isDisplayed()).isFalse();
    bus.changeScalingPolicy(bus.scalingPolicy().setAutoScale(true).setMinShards(5));
    soon().until(() -> find("scalings").getText().contains("3 active shards, minShards is 5"));
    screenshot("scaling");
    assertThat(find("scalings").getText()).contains("automatic", "▲ added shards 3, 4: 5 active");
    assertNoErrors();
  }

  @Test
  void keysThatWaitAtAFence_areShownWhileTheyDo() throws Exception {
    Promise<Void> gate = Promise.promise();
    open(
        new RecordingSink()
            .behave(batch -> batch.shard() == 0 ? gate.future() : Future.succeededFuture()));
    ingestKeys();
    assertThat(find("shard-rows").getText()).doesNotContain("fence");
    Future<Void> removed = bus.removeShard(0);
    Awaitility.await().until(() -> bus.shards().numShards() == 2);
    ingestKeys();
    BusStats.ShardStatus receiver =
        bus.stats().shards().stream()
            .filter(shard -> shard.lanes().fencedEvents() > 0)
            .findFirst()
            .orElseThrow();
    String says = receiver.lanes().fencedEvents() + " wait at a fence, oldest ";
    By row = By.cssSelector("tr[data-shard='" + receiver.id() + "']");
    soon().until(() -> browser.findElement(row).getText().contains(says));
    screenshot("fence");
    assertContrast("keys wait");
    gate.complete();
    await(removed);
    soon().until(() -> !find("shard-rows").getText().contains("fence"));
    assertNoErrors();
  }

  private void ingestKeys() {
    for (int i = 0; i < 100; i++) {
      bus.ingest(RawEvent.of(Buffer.buffer("{}"), "key " + i));
    }
  }

  @Test
  void token_isAskedForAndSentWithEveryRequest() throws Exception {
    TokenOptions tokens =
        new TokenOptions().setRead("reader-0123456789").setAdmin("admin-0123456789");
    open(Sinks.create(new SinkOptions("memory")), new GatewayOptions().setToken(tokens));
    awaitState("refused");
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

  @Test
  void page_fitsAPhoneAndFollowsTheColourScheme() throws Exception {
    open();
    long timer = load();
    bus.scaleUp(1);
    find("tail-button").sendKeys(Keys.ENTER);
    soon().until(() -> find("tail-count").getText().contains("events"));
    soon().until(() -> find("latency-chart").getDomAttribute("aria-label").contains("ms"));
    browser.executeScript("scrollTo(0, 0)");
    screenshot("light");
    emulate("dark");
    screenshot("dark");
    String dark = find("totals").getCssValue("color");
    emulate("light");
    assertThat(find("totals").getCssValue("color")).isNotEqualTo(dark);
    assertContrast("a tail");
    browser.executeScript(
        "document.querySelectorAll('[id^=total-]').forEach(e => (e.textContent ="
            + " '9,999,999,999'))");
    for (int width : new int[] {320, 360, 390, 600, 900}) {
      browser.executeCdpCommand(
          "Emulation.setDeviceMetricsOverride",
          Map.of("width", width, "height", 844, "deviceScaleFactor", 1, "mobile", true));
      soon()
          .untilAsserted( // charts follow a moment later
              () -> assertThat(wide(width)).as("wider than " + width).isEmpty());
      if (width == 390) {
        browser.executeCdpCommand(
            "Emulation.setDeviceMetricsOverride",
            Map.of("width", width, "height", 3000, "deviceScaleFactor", 1, "mobile", true));
        screenshot("phone");
      }
    }
    browser.executeCdpCommand("Emulation.clearDeviceMetricsOverride", Map.of());
    vertx.cancelTimer(timer);
    assertNoErrors();
  }

  /** What sticks out of the window or of its own box. The window itself may grow with it. */
  private static List<?> wide(int width) {
    return (List<?>)
        browser.executeScript(
            """
            const all = [...document.querySelectorAll('body, body *')].filter(e => e.checkVisibility())
            return all
              .filter(e => e.getBoundingClientRect().right > arguments[0] || (e.tagName === 'DD' && e.scrollWidth > e.clientWidth))
              .map(e => `${e.tagName}#${e.id}.${e.className}`)\
            """,
            width);
  }

  /** What has the focus: its id, its label or its text. */
  private static String focused() {
    return (String)
        browser.executeScript(
            """
            const e = document.activeElement
            const style = getComputedStyle(e)
            const box = e.getBoundingClientRect()
            if (style.outlineStyle !== 'solid' || parseFloat(style.outlineWidth) < 2) return `no outline: ${e.outerHTML}`
            if (box.bottom < 0 || box.top > innerHeight) return `out of sight: ${e.outerHTML}`
            return e.id || e.getAttribute('aria-label') || e.textContent\
            """);
  }

  private static void press(Keys... keys) {
    new Actions(browser).sendKeys(keys).perform();
  }

  @Test
  void keyboardAlone_reachesAllAndAddsAShard() throws Exception {
    open();
    soon().until(() -> find("replay-button").isDisplayed());
    List<String> order = new ArrayList<>();
    for (int i = 0; i < 19; i++) {
      press(Keys.TAB);
      order.add(focused());
    }
    assertThat(order)
        .containsExactly(
            "Skip to the shards",
            "Token",
            "add-count",
            "add-button",
            "Remove shard 0",
            "Remove shard 1",
            "Remove shard 2",
            "scalings",
            "letters",
            "browse-since",
            "browse-key",
            "browse-shard",
            "browse-filter",
            "browse-button",
            "events",
            "filter",
            "tail-button",
            "tail",
            "Settings");
    press(Keys.TAB, Keys.TAB); // by way of the browser's own, which hands over when it likes
    soon().untilAsserted(() -> assertThat(focused()).isEqualTo("Skip to the shards"));
    press(Keys.ENTER, Keys.TAB, Keys.ARROW_UP, Keys.TAB);
    assertThat(focused()).isEqualTo("add-button");
    press(Keys.SPACE);
    soon().until(() -> find("confirm").isDisplayed());
    assertThat(find("confirm-text").getText()).isEqualTo("Add 2 shards?");
    press(Keys.ESCAPE);
    soon().until(() -> !find("confirm").isDisplayed());
    assertThat(focused()).isEqualTo("add-button");
    assertThat(bus.shards().numShards()).isEqualTo(3);
    press(Keys.ENTER);
    soon().until(() -> find("confirm").isDisplayed());
    assertThat(focused()).isEqualTo("Cancel");
    press(Keys.TAB);
    assertThat(focused()).isEqualTo("confirm-yes");
    press(Keys.ENTER);
    soon().until(() -> bus.shards().numShards() == 5);
    soon().until(() -> find("message").getText().startsWith("Added shard 3, 4"));
    assertThat(focused()).isEqualTo("add-button");
    press(Keys.TAB, Keys.ENTER);
    soon().until(() -> find("confirm").isDisplayed());
    press(Keys.TAB, Keys.ENTER);
    soon().until(() -> browser.findElements(By.cssSelector("tr[data-shard='0']")).isEmpty());
    press(Keys.TAB);
    assertThat(focused()).isEqualTo("Remove shard 1");
  }

  private static void assertContrast(String when) throws IOException {
    String faint = Files.readString(Path.of("src/test/resources/io/shardbus/gateway/faint.js"));
    for (String scheme : List.of("light", "dark")) {
      emulate(scheme);
      soon()
          .untilAsserted( // charts follow a moment later
              () ->
                  assertThat((List<?>) browser.executeScript(faint))
                      .as(when + ", " + scheme)
                      .isEmpty());
    }
  }

  @Test
  void texts_standOutInBothSchemes() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.behave(batch -> Future.failedFuture(SinkException.permanentFailure("poisonous")));
    open(sink);
    browser.findElement(By.cssSelector("#access summary")).click();
    bus.ingest(RawEvent.of("{\"poison\":true}"));
    soon().until(() -> find("letters").getText().contains("poison"));
    sink.behave(batch -> Future.failedFuture(SinkException.transientFailure("no disk")));
    long timer = load();
    soon().until(() -> find("sink").getText().contains("failing for 3 of 3 shards"));
    soon().until(() -> shown().get("refused") > 0);
    find("replay-button").click();
    soon().until(() -> find("confirm").isDisplayed());
    assertContrast("a question");
    press(Keys.ESCAPE);
    bus.scaleUp(100);
    soon().until(() -> find("scalings").getText().contains("could not"));
    find("add-count").sendKeys(Keys.chord(Keys.CONTROL, "a"), "99", Keys.ENTER);
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
    soon().until(() -> find("message").getText().contains("maxShards"));
    assertContrast("a refusal");
    sink.behave(batch -> Future.succeededFuture());
    soon().until(() -> find("sink").getText().contains("good"));
    assertContrast("all is well");
    vertx.cancelTimer(timer);
    await(gateway.close());
    awaitState("lost");
    assertContrast("the server is away");
  }

  private static void emulate(String scheme) {
    browser.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
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
