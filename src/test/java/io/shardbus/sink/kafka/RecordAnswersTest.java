package io.shardbus.sink.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkException.Kind;
import io.shardbus.testing.Batches;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.Test;

class RecordAnswersTest {

  private final Exception passing = new NetworkException("away");
  private final Exception tooLarge = new RecordTooLargeException("large");

  private static SinkException of(Exception... failures) {
    return ofKeys(new String[failures.length], failures);
  }

  private static SinkException ofKeys(String[] keys, Exception... failures) {
    RecordAnswers answers = new RecordAnswers(Batches.withKeys(keys), Throwable::getMessage);
    for (int i = 0; i < failures.length; i++) {
      answers.settle(i, failures[i]);
    }
    assertThat(answers.future().isComplete()).isTrue();
    return (SinkException) answers.future().cause();
  }

  private static Kind causeOf(SinkException failure) {
    return ((SinkException) failure.getCause()).kind();
  }

  @Test
  void allWritten_isSuccess() {
    assertThat(of(null, null)).isNull();
  }

  @Test
  void secondAnswerToARecord_doesNotCount() {
    RecordAnswers answers = new RecordAnswers(Batches.withKeys("a", "b"), Throwable::getMessage);
    answers.settle(0, passing);
    answers.settle(0, null);
    assertThat(answers.future().isComplete()).isFalse();
    answers.settle(1, null);
    assertThat(((SinkException) answers.future().cause()).failed().stream()).containsExactly(0);
  }

  @Test
  void allFailedForAPassingReason_isTransient() {
    assertThat(of(passing, passing).kind()).isEqualTo(Kind.TRANSIENT);
  }

  @Test
  void onlyEventsToBlameFailed_isPartialForGood() {
    SinkException failure = of(null, tooLarge);
    assertThat(failure.failed().stream()).containsExactly(1);
    assertThat(causeOf(failure)).isEqualTo(Kind.PERMANENT);
  }

  /** What was confirmed must not be written again; the event that is too large is refused next. */
  @Test
  void tooLargeAndPassingFailures_areTriedAgainWithoutTheConfirmed() {
    SinkException failure = of(null, tooLarge, passing, null);
    assertThat(failure.kind()).isEqualTo(Kind.PARTIAL);
    assertThat(failure.failed().stream()).containsExactly(1, 2);
    assertThat(causeOf(failure)).isEqualTo(Kind.TRANSIENT);
    assertThat(of(tooLarge, passing).kind()).isEqualTo(Kind.TRANSIENT);
  }

  @Test
  void laterEventsOfAFailedKey_failToo() {
    String[] keys = {"a", "b", "a", "b", null, "a"};
    SinkException failure = ofKeys(keys, null, passing, null, null, null, null);
    assertThat(failure.failed().stream()).containsExactly(1, 3);
    assertThat(ofKeys(keys, tooLarge, null, null, null, null, null).failed().stream())
        .containsExactly(0);
  }

  /** The bus halves it, until those to blame stand alone. */
  @Test
  void eventsThatTakeOthersAlong_areRefusedWithThem() {
    assertThat(of(null, new InvalidRecordException("no key"), passing).kind())
        .isEqualTo(Kind.PERMANENT);
    assertThat(of(new RecordBatchTooLargeException("all")).kind()).isEqualTo(Kind.PERMANENT);
  }
}
