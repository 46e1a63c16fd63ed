package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.SinkException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;

/** The console by keyboard, for screen readers, on a phone, and in both colour schemes. */
class ConsoleAccessTest extends ConsolePage {

  @Test
  void page_fitsAPhoneAndFollowsTheColourScheme() throws Exception {
    open();
    long timer = load();
    bus.scaleUp(1);
    find("tail-button").sendKeys(Keys.ENTER);
    soon().until(() -> find("tail-count").getText().contains("events"));
    soon().until(() -> said("latency-chart").contains("ms"));
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
    browser.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", 1920, "height", 2600, "deviceScaleFactor", 1, "mobile", false));
    screenshot("wide");
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

  @Test
  void keyboardAlone_reachesAllAndAddsAShard() throws Exception {
    open();
    soon().until(() -> find("replay-button").isDisplayed());
    List<String> order = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      press(Keys.TAB);
      order.add(focused());
    }
    assertThat(order)
        .containsExactly(
            "Skip to the shards",
            "Token",
            "history-of",
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
    soon().until(() -> find("message").getText().startsWith("Added shards 3, 4"));
    assertThat(focused()).isEqualTo("add-button");
    press(Keys.TAB, Keys.ENTER);
    soon().until(() -> find("confirm").isDisplayed());
    press(Keys.TAB, Keys.ENTER);
    soon().until(() -> browser.findElements(By.cssSelector("tr[data-shard='0']")).isEmpty());
    press(Keys.TAB);
    assertThat(focused()).isEqualTo("Remove shard 1");
  }

  @Test
  void texts_standOutInBothSchemes() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.fail(SinkException.permanentFailure("poisonous"));
    open(sink);
    browser.findElement(By.cssSelector("#access summary")).click();
    bus.ingest(RawEvent.of("{\"poison\":true}"));
    soon().until(() -> find("letters").getText().contains("poison"));
    sink.fail(SinkException.transientFailure("no disk"));
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
    sink.heal();
    soon().until(() -> find("sink").getText().contains("good"));
    assertContrast("all is well");
    vertx.cancelTimer(timer);
    await(gateway.close());
    awaitState("lost");
    assertContrast("the server is away");
  }

  /** A node of the tree that screen readers get. */
  private record Node(String role, String name, Object level) {}

  @SuppressWarnings("unchecked")
  private static List<Node> tree() {
    Object nodes = browser.executeCdpCommand("Accessibility.getFullAXTree", Map.of()).get("nodes");
    return ((List<Map<String, Object>>) nodes)
        .stream()
            .filter(node -> !Boolean.TRUE.equals(node.get("ignored")))
            .map(ConsoleAccessTest::node)
            .toList();
  }

  @SuppressWarnings("unchecked")
  private static Node node(Map<String, Object> json) {
    Object level = null;
    for (Map<String, Object> property :
        (List<Map<String, Object>>) json.getOrDefault("properties", List.of())) {
      if (property.get("name").equals("level")) {
        level = ((Map<String, Object>) property.get("value")).get("value");
      }
    }
    return new Node(value(json.get("role")), value(json.get("name")).strip(), level);
  }

  private static String value(Object property) {
    return property instanceof Map<?, ?> map ? String.valueOf(map.get("value")) : "";
  }

  private static final Set<String> NAMED =
      Set.of(
          "button",
          "link",
          "textbox",
          "searchbox",
          "spinbutton",
          "checkbox",
          "combobox",
          "meter",
          "image",
          "dialog",
          "list",
          "region",
          "form",
          "DisclosureTriangle");

  private void showAll() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.fail(SinkException.permanentFailure("poisonous"));
    open(sink);
    bus.ingest(RawEvent.of("{\"poison\":true}"));
    soon().until(() -> find("letters").getText().contains("poison"));
    sink.heal();
    find("settings").findElement(By.tagName("summary")).click();
    browser.findElement(By.cssSelector("#access summary")).click();
    await(bus.scaleUp(1));
    soon().until(() -> find("scalings").getText().contains("added"));
    soon().until(() -> browser.findElement(By.name("maxShards")).isDisplayed());
    soon().until(() -> said("rate-chart").contains("now"));
  }

  @Test
  void screenReaders_getNamesHeadingsAndColumns() throws Exception {
    showAll();
    List<Node> nodes = tree();
    assertThat(nodes.stream().map(Node::role))
        .contains("button", "searchbox", "meter", "image", "list");
    assertThat(nodes)
        .filteredOn(node -> NAMED.contains(node.role()))
        .filteredOn(node -> node.name().isEmpty())
        .isEmpty();
    List<Node> headings = nodes.stream().filter(node -> node.role().equals("heading")).toList();
    assertThat(
            headings.stream()
                .filter(node -> !"3".equals(String.valueOf(node.level())))
                .map(
                    node ->
                        node.level() + " " + node.name().replaceFirst("( \\d.*| recording)$", "")))
        .containsExactly(
            "1 Shardbus",
            "2 Totals",
            "2 Last hour",
            "2 Shards",
            "2 Refusals by reason",
            "2 Sink",
            "2 Scaling",
            "2 Dead letters",
            "2 Events",
            "2 Tail",
            "2 Settings");
    assertThat(nodes.stream().filter(node -> node.role().equals("columnheader")).map(Node::name))
        .containsExactly(
            "Shard", "State", "Fill of the ring", "Events/s", "Lag", "Weight", "Sink", "Remove");
    assertThat(nodes)
        .filteredOn(node -> node.role().equals("status"))
        .hasSizeGreaterThanOrEqualTo(3);
    find("add-button").click();
    soon().until(() -> find("confirm").isDisplayed());
    assertThat(tree()).contains(new Node("dialog", "Add one shard?", null));
  }

  @Test
  void axe_findsNothing() throws Exception {
    Path axe = Path.of("src/test/npm/node_modules/axe-core/axe.min.js");
    assumeTrue(Files.exists(axe), "axe-core is not installed: npm ci --prefix src/test/npm");
    showAll();
    browser.executeScript(Files.readString(axe));
    for (String scheme : List.of("light", "dark")) {
      emulate(scheme);
      for (int width : new int[] {390, 1280}) {
        browser.executeCdpCommand(
            "Emulation.setDeviceMetricsOverride",
            Map.of("width", width, "height", 1600, "deviceScaleFactor", 1, "mobile", width < 1000));
        assertThat(
                (List<?>)
                    browser.executeAsyncScript(
                        """
                        const done = arguments[0]
                        axe.run({ resultTypes: ['violations'] }).then(found => done(found.violations.map(v =>
                          `${v.id}: ${v.help}: ${v.nodes.map(n => n.html.slice(0, 120)).join(' | ')}`)), e => done([String(e)]))\
                        """))
            .as(scheme + " " + width)
            .isEmpty();
      }
    }
  }
}
