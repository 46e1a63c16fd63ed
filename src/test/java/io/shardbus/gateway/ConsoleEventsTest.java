package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.SinkException;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;

/** Events and dead letters on the console. */
class ConsoleEventsTest extends ConsolePage {

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

  /** A browser would round them to 53 bits, and show none for 1e400. */
  @Test
  void numbers_areShownAsTheyWereSent() throws Exception {
    open();
    find("tail-button").click();
    soon().until(() -> find("tail-state").getText().startsWith("Following"));
    String event = "{\"n\":[12345678901234567890,1.0,1e400,-0]}";
    bus.ingest(RawEvent.of(event));
    soon().until(() -> find("tail").getText().contains(event));
    search("browse-key", "");
    soon().until(() -> events().contains(event));
    find("events").findElement(By.tagName("summary")).click();
    soon().until(() -> events().contains("0: 12345678901234567890\n1: 1.0\n2: 1e400\n3: -0"));
    assertNoErrors();
  }

  @Test
  void oneDeadLetter_isReplayedOrDeleted() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.fail(SinkException.permanentFailure("no"));
    open(sink);
    for (int i = 0; i < 3; i++) {
      bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
    }
    soon().until(() -> browser.findElements(By.cssSelector("#letters li button")).size() == 6);
    sink.heal();
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
  void deadLetters_areShownAndReplayed() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.fail(SinkException.permanentFailure("it is poisonous"));
    open(sink);
    bus.ingest(RawEvent.of("{\"poison\":12345678901234567890}"));
    soon().until(() -> find("letters").getText().contains("it is poisonous"));
    assertThat(find("letters").getText()).contains("{\"poison\":12345678901234567890}");
    soon().until(() -> number("total-deadLettered") == 1);
    sink.heal();
    find("replay-button").click();
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
    soon().until(() -> find("message").getText().startsWith("Replayed: 1 delivered"));
    soon().until(() -> find("letters").getText().equals("None."));
    sink.fail(SinkException.permanentFailure("it is poisonous"));
    bus.ingest(RawEvent.of("{\"poison\":2}"));
    soon().until(() -> find("forget-button").isEnabled());
    find("forget-button").click();
    soon().until(() -> find("confirm").isDisplayed());
    find("confirm-yes").click();
    soon().until(() -> find("message").getText().equals("Deleted: 1."));
    soon().until(() -> find("letters").getText().equals("None."));
    assertThat(bus.stats().deadLettersKept()).isZero();
  }
}
