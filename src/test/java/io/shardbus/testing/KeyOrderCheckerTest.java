package io.shardbus.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KeyOrderCheckerTest {

  private static final int KEYS = 3;

  private final KeyOrderChecker checker = new KeyOrderChecker(KEYS);

  private record Event(int key, int place) {}

  /** Events as they were pushed, and accepted. */
  private List<Event> pushed(int count) {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Event event = new Event(i % KEYS, checker.next(i % KEYS));
      checker.accepted(event.key(), event.place());
      events.add(event);
    }
    return events;
  }

  private void confirm(List<Event> events) {
    events.forEach(event -> checker.confirmed(event.key(), event.place()));
  }

  @Test
  void pushOrder_isRight() {
    confirm(pushed(30));
    assertThat(checker.faults(30, 0)).isEmpty();
  }

  @Test
  void otherKeysMayOvertake() {
    List<Event> events = pushed(30);
    events.sort((a, b) -> Integer.compare(a.key(), b.key()));
    confirm(events);
    assertThat(checker.faults(30, 0)).isEmpty();
  }

  /** Two events of a key change places in a log that is right otherwise. */
  @Test
  void anySwapWithinAKey_isSeen() {
    Random dice = new Random(7);
    for (int i = 0; i < 100; i++) {
      KeyOrderChecker fresh = new KeyOrderChecker(1);
      List<Integer> log = new ArrayList<>();
      for (int place = 0; place < 20; place++) {
        log.add(fresh.next(0));
        fresh.accepted(0, place);
      }
      int one = dice.nextInt(20);
      Collections.swap(log, one, (one + 1 + dice.nextInt(19)) % 20);
      log.forEach(place -> fresh.confirmed(0, place));
      assertThat(fresh.reordered()).isPositive();
      assertThat(fresh.faults(20, 0)).isNotEmpty();
    }
  }

  @Test
  void doubled_isSeen() {
    List<Event> events = pushed(6);
    confirm(events);
    confirm(events.subList(5, 6));
    assertThat(checker.faults(7, 0)).anyMatch(fault -> fault.endsWith("doubled"));
  }

  @Test
  void lost_isSeen() {
    confirm(pushed(6).subList(0, 5));
    assertThat(checker.faults(5, 0)).anyMatch(fault -> fault.endsWith("lost"));
  }

  @Test
  void lostWithoutAWord_isSeenByTheCount() {
    checker.next(0);
    assertThat(checker.faults(1, 0)).anyMatch(fault -> fault.contains("between"));
  }

  @Test
  void evictedAndDeadLettered_areAccountedFor() {
    List<Event> events = pushed(6);
    confirm(events.subList(2, 6));
    checker.deadLettered(events.get(0).key(), events.get(0).place());
    assertThat(checker.faults(6, 1)).isEmpty();
  }

  @Test
  void refusedAndDelivered_isSeen() {
    checker.next(0);
    checker.refused(0, 0);
    checker.confirmed(0, 0);
    assertThat(checker.faults(1, 0)).anyMatch(fault -> fault.contains("against the word"));
  }
}
