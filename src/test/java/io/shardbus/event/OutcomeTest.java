package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One table for words, statuses and bytes. */
class OutcomeTest {

  @ParameterizedTest
  @EnumSource(Outcome.class)
  void wireByte_comesBackAsTheSame(Outcome outcome) {
    assertThat(Outcome.of(outcome.wireByte())).isEqualTo(outcome);
  }

  /** Publishers of other nodes know these bytes. */
  @Test
  void wireBytes_stayWhatTheyAre() {
    assertThat(Arrays.stream(Outcome.values()).mapToInt(Outcome::wireByte))
        .startsWith(0, 1, 2, 3, 4, 5, 6, 7, 8)
        .doesNotHaveDuplicates();
    assertThat(Outcome.ACCEPTED.wireByte()).isZero();
    assertThat(Outcome.DEAD_LETTERED.wireByte()).isEqualTo((byte) 7);
  }

  @Test
  void byteOfNobody_isUnknown() {
    assertThat(Outcome.of((byte) 100)).isEqualTo(Outcome.UNKNOWN);
    assertThat(Outcome.of((byte) -1)).isEqualTo(Outcome.UNKNOWN);
  }

  @ParameterizedTest
  @EnumSource(
      value = Outcome.class,
      names = {"ACCEPTED", "DUPLICATE"},
      mode = EnumSource.Mode.EXCLUDE)
  void refusal_hasAWordAndAStatusOfItsOwnKind(Outcome refusal) {
    assertThat(refusal.word()).matches("[a-z_]+");
    assertThat(refusal.status()).isBetween(400, 503);
    assertThat(refusal.meaning()).isNotBlank();
  }

  @ParameterizedTest
  @EnumSource(Ack.class)
  void ack_isReadFromItsWord(Ack ack) {
    assertThat(Ack.parse(ack.word())).isEqualTo(ack);
  }

  @Test
  void unknownAck_isRefusedWithWhatIsAllowed() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Ack.parse("ACCEPTED"))
        .withMessage("ack: \"ACCEPTED\" must be none, accepted or delivered");
  }
}
