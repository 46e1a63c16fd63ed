package io.shardbus.delivery;

import io.shardbus.event.ProducerId;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeadLetters.Kept;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/** The newest dead letters, in memory. */
final class LetterMemory implements LetterTable {

  private final TreeMap<Long, DeadLetter> letters = new TreeMap<>();
  private final Set<Name> names = new HashSet<>();
  private long bytes;
  private long lastGiven;

  private record Name(ProducerId producer, int shard, long sequence) {

    static Name of(DeadLetter letter) {
      return new Name(letter.producer(), letter.event().shard(), letter.event().sequence());
    }
  }

  @Override
  public void add(List<DeadLetter> some) {
    for (DeadLetter letter : some) {
      Name name = Name.of(letter);
      if (!names.contains(name)) {
        try {
          names.add(name);
          letters.put(++lastGiven, letter);
        } catch (Throwable e) { // memory is missing, and the letter will come again
          names.remove(name);
          throw e;
        }
        bytes += letter.event().size();
      }
    }
    while (letters.size() > 1
        && (letters.size() > DeadLetterStore.MAX_IN_MEMORY
            || bytes > DeadLetterStore.MAX_BYTES_IN_MEMORY)) {
      remove(letters.firstKey());
    }
  }

  private int remove(long id) {
    DeadLetter letter = letters.remove(id);
    if (letter == null) {
      return 0;
    }
    names.remove(Name.of(letter));
    bytes -= letter.event().size();
    return 1;
  }

  @Override
  public List<Kept> list(long after, int limit) {
    List<Kept> page = new ArrayList<>();
    long pageBytes = 0;
    for (var letter : letters.tailMap(after, false).entrySet()) {
      if (page.size() == limit || pageBytes >= MAX_PAGE_BYTES) {
        break;
      }
      page.add(new Kept(letter.getKey(), letter.getValue()));
      pageBytes += letter.getValue().event().size();
    }
    return page;
  }

  @Override
  public long count() {
    return letters.size();
  }

  @Override
  public long lastId() {
    return letters.isEmpty() ? 0 : letters.lastKey();
  }

  @Override
  public int remove(Collection<Long> ids) {
    return ids.stream().mapToInt(this::remove).sum();
  }

  @Override
  public int removeAll() {
    int all = letters.size();
    letters.clear();
    names.clear();
    bytes = 0;
    return all;
  }

  @Override
  public long kept() {
    return letters.size();
  }

  @Override
  public void close() {}

  @Override
  public String place() {
    return "memory";
  }
}
