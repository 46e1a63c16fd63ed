package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.metrics.BusMetrics;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
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

/** The console in a real browser. */
@Tag("browser")
abstract class ConsolePage {

  private static final Path BROWSER = Path.of("/usr/bin/chromium");
  private static final Path DRIVER = Path.of("/usr/bin/chromedriver");

  /** One for all classes, until this JVM ends. */
  static ChromeDriver browser;

  final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  final AtomicLong sent = new AtomicLong();
  Vertx vertx;
  ShardBus bus;
  Gateway gateway;

  @BeforeAll
  static void openBrowser() {
    assumeTrue(Files.isExecutable(BROWSER), BROWSER + " is not installed");
    assumeTrue(Files.isExecutable(DRIVER), DRIVER + " is not installed");
    if (browser != null) {
      return;
    }
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
        "--window-size=1280,1600");
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    logs.enable(LogType.PERFORMANCE, Level.ALL);
    options.setCapability("goog:loggingPrefs", logs);
    browser =
        new ChromeDriver(
            new ChromeDriverService.Builder().usingDriverExecutable(DRIVER.toFile()).build(),
            options);
    Runtime.getRuntime().addShutdownHook(new Thread(browser::quit));
    // As in a window in front: else no element has :focus once the browser's own controls had it.
    browser.executeCdpCommand("Emulation.setFocusEmulationEnabled", Map.of("enabled", true));
  }

  @BeforeEach
  void setUp() {
    vertx = Vertx.vertx();
  }

  @AfterEach
  void tearDown() throws Exception {
    browser.get("about:blank");
    emulate("light");
    browser.executeCdpCommand("Emulation.clearDeviceMetricsOverride", Map.of());
    await(vertx.close());
  }

  static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  static ConditionFactory soon() {
    return Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(100))
        .ignoreExceptions();
  }

  void open(Sink sink) throws Exception {
    open(sink, new GatewayOptions());
    awaitState("live");
  }

  void open(Sink sink, GatewayOptions gatewayOptions) throws Exception {
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

  void open() throws Exception {
    open(Sinks.create(new SinkOptions("memory")));
  }

  String origin() {
    return "http://127.0.0.1:" + gateway.port();
  }

  void awaitState(String state) {
    soon().until(() -> state.equals(find("connection").getDomAttribute("data-state")));
  }

  static WebElement find(String id) {
    return browser.findElement(By.id(id));
  }

  /** What a chart says to screen readers. */
  static String said(String chart) {
    return String.valueOf(find(chart).getDomAttribute("aria-label"));
  }

  static long number(String id) {
    return Long.parseLong(String.valueOf(find(id).getDomAttribute("data-value")));
  }

  long load() {
    return vertx.setPeriodic(
        10,
        timer -> {
          for (int i = 0; i < 50; i++) {
            long n = sent.getAndIncrement();
            bus.ingest(RawEvent.of("{\"n\":" + n + ",\"user\":\"u" + n % 7 + "\"}"));
          }
        });
  }

  static void screenshot(String name) throws IOException {
    Path folder = Files.createDirectories(Path.of("target/screenshots"));
    Files.write(folder.resolve(name + ".png"), browser.getScreenshotAs(OutputType.BYTES));
  }

  static void assertNoErrors() {
    List<LogEntry> errors =
        browser.manage().logs().get(LogType.BROWSER).getAll().stream()
            .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
            .toList();
    assertThat(errors).isEmpty();
  }

  /** What the page shows, by the names of /v1/stats; at one moment. */
  @SuppressWarnings("unchecked")
  static Map<String, Long> shown() {
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

  JsonObject api(String path) throws Exception {
    return new JsonObject(send(request(path).build()));
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + gateway.port() + path));
  }

  static String send(HttpRequest request) throws Exception {
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
  }

  static void press(Keys... keys) {
    new Actions(browser).sendKeys(keys).perform();
  }

  static void assertContrast(String when) throws IOException {
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

  static void emulate(String scheme) {
    browser.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
  }
}
