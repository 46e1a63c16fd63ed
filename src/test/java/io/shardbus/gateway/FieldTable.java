package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.gateway.Places.Field;
import io.shardbus.sink.StoredEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The table of where each part of an event is. */
final class FieldTable {

  /** In a cell: there is no place for it. */
  static final String NOWHERE = "—";

  private static final Pattern TABLE =
      Pattern.compile("(<!-- table of fields -->\n).*?(<!-- end of table -->)", Pattern.DOTALL);
  private static final List<String> EMPTY = Collections.nCopies(7, "");
  private static final List<Field> PLACE =
      List.of(Field.PRODUCER, Field.EPOCH, Field.SHARD, Field.SEQUENCE);

  private final Map<String, List<String>> rows = new LinkedHashMap<>();

  /** An event, and where somebody saw it. */
  record Seen(StoredEvent event, Places places) {}

  void begin(String group) {
    reserve("**" + group + "**");
  }

  void reserve(String title) {
    rows.put(title, EMPTY);
  }

  void row(String title, List<Seen> seen) {
    row(
        title,
        field -> cell(field, seen),
        PLACE.stream()
            .map(field -> cell(field, seen))
            .distinct()
            .collect(Collectors.joining(", ")));
  }

  void row(String title, Function<Field, String> cell, String place) {
    List<String> cells =
        Arrays.stream(Field.values())
            .filter(field -> !PLACE.contains(field))
            .map(cell)
            .collect(Collectors.toCollection(ArrayList::new));
    cells.add(place);
    rows.put(title, cells);
  }

  /** The places that all have it; or those of which each event has it in one. */
  static String cell(Field field, List<Seen> seen) {
    List<Set<String>> each =
        seen.stream().flatMap(one -> one.places().where(field, one.event()).stream()).toList();
    Set<String> always = new TreeSet<>(each.get(0));
    each.forEach(always::retainAll);
    if (!always.isEmpty()) {
      return String.join(" and ", always);
    }
    Set<String> sometimes = new TreeSet<>();
    each.forEach(sometimes::addAll);
    boolean all = each.stream().noneMatch(Set::isEmpty);
    return sometimes.isEmpty()
        ? NOWHERE
        : String.join(" or ", sometimes) + (all ? "" : ", in part");
  }

  private String text() {
    StringBuilder all = new StringBuilder("\n| |");
    Stream.of(Field.values())
        .filter(field -> !PLACE.contains(field))
        .forEach(field -> all.append(' ').append(field.title).append(" |"));
    all.append(" producer, epoch, shard, sequence |\n|---|---|---|---|---|---|---|---|\n");
    rows.forEach(
        (title, cells) ->
            all.append("| ")
                .append(title)
                .append(" | ")
                .append(String.join(" | ", cells))
                .append(" |\n"));
    return all.append('\n').toString();
  }

  void assertIn(Path document) throws Exception {
    String before = Files.readString(document);
    Matcher matcher = TABLE.matcher(before);
    assertThat(matcher.find()).isTrue();
    String made =
        matcher.replaceFirst(
            Matcher.quoteReplacement(matcher.group(1) + text() + matcher.group(2)));
    if (Boolean.getBoolean("shardbus.rewrite")) {
      Files.writeString(document, made);
    }
    assertThat(Files.readString(document))
        .as("%s: run with -Dshardbus.rewrite=true to write it anew", document)
        .isEqualTo(made);
  }
}
