package io.shardbus.sink.jetstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkException.Kind;
import io.shardbus.testing.Batches;
import org.junit.jupiter.api.Test;

class PublicationTest {

  private final Publication publication =
      new Publication(Batches.withKeys("a", "b", "a", "b", null));

  private SinkException failure() {
    return (SinkException) publication.future().cause();
  }

  @Test
  void refusal_failsLaterEventsOfTheKeyThatWereConfirmed() {
    publication.confirm(0);
    for (int i = 2; i < 5; i++) {
      publication.confirm(i);
    }
    publication.refuse(SinkException.transientFailure("no leader"));
    assertThat(failure().kind()).isEqualTo(Kind.PARTIAL);
    assertThat(failure().failed().stream()).containsExactly(1, 3);
  }

  @Test
  void eventTooLarge_failsAlone() {
    publication.refuseTooLarge(0);
    for (int i = 1; i < 5; i++) {
      publication.confirm(i);
    }
    assertThat(failure().isForGood()).isTrue();
    assertThat(failure().failed().stream()).containsExactly(0);
  }
}
