package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.BusStats;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;

/** Shards, scaling and sinks on the console. */
class ConsoleShardsTest extends ConsolePage {

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
    soon().until(() -> find("message").getText().equals("Added shards 3, 4."));
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
  void sinkThatRefusesAll_isNotCalledGood() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.fail(SinkException.permanentFailure("no"));
    open(sink);
    bus.ingest(RawEvent.of(Buffer.buffer("1"), "key"));
    soon().until(() -> find("sink").getText().contains("refusing for 1 of 3 shards"));
    assertThat(find("shard-rows").getText()).contains("refusing");
    soon().until(() -> find("letters").getText().contains("1 attempt ·"));
    sink.heal();
    bus.ingest(RawEvent.of(Buffer.buffer("1"), "key"));
    soon().until(() -> find("sink").getText().startsWith("state\ngood"));
  }

  @Test
  void sinkThatIsDown_isSeenInTheShards() throws Exception {
    RecordingSink sink = new RecordingSink();
    open(sink);
    long timer = load();
    soon().until(() -> sink.count() > 2000);
    sink.fail(SinkException.transientFailure("no disk"));
    // One shard may have given its keys to others, when its sink failed a moment before theirs.
    soon()
        .until(
            () ->
                browser.findElements(By.cssSelector("[role=meter]")).stream()
                    .anyMatch(m -> Double.parseDouble(m.getDomAttribute("aria-valuenow")) > 90));
    soon().until(() -> number("total-refused") > 0);
    soon().until(() -> find("sink").getText().contains("failing for 3 of 3 shards"));
    assertThat(find("shard-rows").getText()).contains("failing");
    screenshot("down");
    sink.heal();
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
}
