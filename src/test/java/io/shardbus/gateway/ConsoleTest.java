package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.BusMetrics;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.shardbus.testing.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
    gateway = await(Gateway.start(vertx, bus, gatewayOptions.setPort(0), registry));
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

  @Test
  void numbers_areThoseOfTheApi() throws Exception {
    open();
    long timer = load();
    for (int i = 0; i < 3; i++) {
      long before = bus.stats().total().accepted();
      soon().until(() -> number("total-accepted") > before);
      assertThat(number("total-accepted")).isLessThanOrEqualTo(bus.stats().total().accepted());
    }
    vertx.cancelTimer(timer);
    await(bus.flush());
    for (int i = 0; i < 20_000; i++) {
      bus.ingest(RawEvent.of("burst " + i));
    }
    await(bus.flush());
    var total = bus.stats().total();
    assertThat(total.backpressure()).isPositive();
    soon()
        .untilAsserted(
            () -> {
              assertThat(number("total-accepted")).isEqualTo(total.accepted());
              assertThat(number("total-delivered")).isEqualTo(total.delivered());
              assertThat(number("total-refused")).isEqualTo(total.backpressure());
              assertThat(number("total-pending")).isZero();
            });
    assertThat(find("total-accepted").getText())
        .isEqualTo(String.format(java.util.Locale.ROOT, "%,d", total.accepted()));
    assertThat(find("refusals").getText())
        .contains(String.format(java.util.Locale.ROOT, "%,d", total.backpressure()));
    assertThat(browser.findElements(By.cssSelector("#shard-rows tr"))).hasSize(3);
    assertThat(find("latency-chart").getDomAttribute("aria-label")).contains("median");
    assertThat(find("sink").getText()).contains("good");
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
    soon().until(() -> find("scalings").getText().contains("added shard 3, 4, 5 active"));

    browser.findElement(By.cssSelector("tr[data-shard='1'] button")).click();
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
    soon().until(() -> browser.findElements(By.cssSelector("tr[data-shard='1']")).isEmpty());
    soon().until(() -> find("scalings").getText().contains("removed shard 1, 4 active"));

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
  void deadLetters_areShownAndReplayed() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.behave(batch -> Future.failedFuture(SinkException.permanentFailure("it is poisonous")));
    open(sink);
    bus.ingest(RawEvent.of("{\"poison\":true}"));
    soon().until(() -> find("letters").getText().contains("it is poisonous"));
    assertThat(find("letters").getText()).contains("{\"poison\":true}");
    assertThat(number("total-deadLettered")).isEqualTo(1);
    sink.behave(batch -> Future.succeededFuture());
    find("replay-button").click();
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
    soon().until(() -> find("message").getText().startsWith("Replayed: 1 delivered"));
    soon().until(() -> find("letters").getText().equals("None."));
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
    soon().until(() -> find("tail-state").getText().contains("so far"));
    soon().until(() -> find("latency-chart").getDomAttribute("aria-label").contains("ms"));
    browser.executeScript("scrollTo(0, 0)");
    screenshot("light");
    emulate("dark");
    screenshot("dark");
    String dark = find("totals").getCssValue("color");
    emulate("light");
    assertThat(find("totals").getCssValue("color")).isNotEqualTo(dark);
    for (int width : new int[] {320, 390, 600, 900}) {
      browser.executeCdpCommand(
          "Emulation.setDeviceMetricsOverride",
          Map.of("width", width, "height", 844, "deviceScaleFactor", 1, "mobile", true));
      assertThat(
              (Long)
                  browser.executeScript(
                      "return document.documentElement.scrollWidth - window.innerWidth"))
          .as("overflow at " + width)
          .isLessThanOrEqualTo(0);
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

  private static void emulate(String scheme) {
    browser.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
  }
}
