package io.shardbus.sink.log;

import io.shardbus.sink.EventFilter;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.log.BlockCodec.Block;
import io.shardbus.sink.support.PageBuilder;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/*
 * One writer's events from a position on, file after file. Belongs to the thread that reads a page.
 *
 * Only a block with a sound checksum is believed. Positions have no gaps within a file. So a block that begins too late
 * says that others are missing before it: then the file is read once more from its beginning, without its index, and
 * then searched. Where SQLite finds damage, reading goes on at the next position from which it can read.
 */
final class LogStream implements AutoCloseable {

  private static final int LAST = 1;

  /** The bytes of a block, or how many events one has that is passed over. */
  private static final int BLOCK = 2;

  private static final String COUNT = "SELECT count FROM blocks WHERE last = ? AND %s";

  /**
   * The search behind damage tries this many positions one by one, because some rows are found by
   * their own key only. Behind them it takes steps that grow with what it has passed over.
   */
  private static final int STEPS = 1_024;

  private final String name;
  private final Deque<Segment> segments;
  private final EventQuery query;
  private final PageBuilder page;
  private final LogDamage damage;
  private final Consumer<Segment> unsound;
  private final Opening.Way way;

  /** Whether an event was read, now or before. What is gone before the first one is not missed. */
  private boolean begun;

  /** The events up to here are in the page, or passed over. The event here is {@link #head}. */
  private long position;

  private @Nullable StoredEvent head;
  private @Nullable Block block;
  private boolean paused;

  // Of the open file.
  private @Nullable Segment current;
  private int number;
  private String sql = "";
  private @Nullable Connection connection;
  private @Nullable ResultSet rows;

  /** Where the position was when the file was opened. */
  private long opened;

  /** No row was used yet, and the index chose the first one. */
  private boolean sought;

  /** A damaged block may end here. That is sure once the next row ends behind it. */
  private long passedOver;

  /** Damage up to here was searched. */
  private long searched;

  /** The events that cannot be read behind the last one that can; 0 if there are none. */
  private long lostFrom;

  private long lostTo;

  /**
   * @param all the writer's files, by position
   * @param position the last position that was read
   * @param begun whether the walk began before
   * @param unsound told of the writer's newest file if SQLite finds damage in it
   */
  LogStream(
      String name,
      List<Segment> all,
      long position,
      boolean begun,
      EventQuery query,
      PageBuilder page,
      LogDamage damage,
      Consumer<Segment> unsound,
      Opening.Way way)
      throws IOException {
    this.name = name;
    this.position = position;
    this.begun = begun;
    this.query = query;
    this.page = page;
    this.damage = damage;
    this.unsound = unsound;
    this.way = way;
    segments = new ArrayDeque<>(all);
    // A file ends where the next one begins.
    while (segments.size() > 1
        && (all.get(all.size() - segments.size() + 1).first() <= position + 1
            || isTooOld(segments.element()))) {
      segments.remove();
    }
  }

  /**
   * Of blocks that hold nothing wanted, SQLite does not read the bytes. If the columns that say so
   * are damaged, the block is read.
   */
  private static String sql(EventQuery query, int file) {
    List<String> conditions = new ArrayList<>();
    if (query.since() != Long.MIN_VALUE) {
      conditions.add("newest >= " + query.since());
    }
    if (query.until() != Long.MAX_VALUE) {
      conditions.add("newest - span < " + query.until());
    }
    if (query.shard() != null) {
      conditions.add("shard = " + query.shard());
    }
    EventFilter filter = query.filter();
    if (filter != null && filter.needsId()) {
      conditions.add("ids <> 0");
    }
    String block = "CAST(block AS BLOB)"; // a damaged one may be a number
    if (!conditions.isEmpty()) {
      String wanted = String.join(" AND ", conditions);
      long past = query.until() + EventQuery.LATEST.toNanos(); // what comes so late ends the walk
      if (past > query.until()) {
        wanted = "(" + wanted + ") OR newest - span >= " + past;
      }
      wanted += " OR NOT " + Tables.soundBlock(file);
      block = "CASE WHEN " + wanted + " THEN " + block + " ELSE count END";
    }
    return "SELECT last, " + block + " FROM blocks WHERE ";
  }

  private boolean isTooOld(Segment segment) throws IOException {
    try {
      return page.sinceMillis() >= 0 && segment.modifiedMillis() < page.sinceMillis();
    } catch (NoSuchFileException e) {
      return true;
    }
  }

  String name() {
    return name;
  }

  long position() {
    return position;
  }

  /** Whether the page had no room to look for the next event. */
  boolean isPaused() {
    return paused;
  }

  StoredEvent head() {
    if (head == null) {
      throw new IllegalStateException("no event");
    }
    return head;
  }

  /** Moves to the next event. Returns false if there is none, or no room to look for it. */
  boolean advance() throws SQLException, IOException {
    head = null;
    do {
      Block open = block;
      if (open != null && position < open.last()) {
        var event = open.events().get((int) (position + 1 - open.first()));
        if (page.isPast(event.timestamp())) {
          segments.clear();
          close();
          return false;
        }
        position++;
        begun = true;
        head = new StoredEvent(open.producer(), event);
        return true;
      }
    } while (nextBlock());
    return false;
  }

  private boolean nextBlock() throws SQLException, IOException {
    block = null;
    while (true) {
      try {
        ResultSet open = rows;
        if (open == null) {
          if (!openNext()) {
            return false;
          }
        } else if (!open.next()) {
          endOfFile();
        } else if (take(open)) {
          return true;
        } else if (!page.hasRoom()) {
          paused = true;
          return false;
        }
      } catch (SQLException e) {
        readOnBehind(e);
      }
    }
  }

  private boolean openNext() throws IOException, SQLException {
    Segment next = segments.poll();
    current = next;
    if (next == null) {
      return false;
    }
    position = Math.max(position, next.first() - 1);
    number = next.number();
    sql = sql(query, number);
    opened = position;
    passedOver = 0;
    searched = 0;
    Connection fresh = segments.isEmpty() ? way.open(next.path()) : next.openWritten(way);
    connection = fresh;
    if (query.since() != Long.MIN_VALUE) {
      position = Math.max(position, Math.min(olderThanSince(fresh), end(next)));
    }
    rows = select("last >", position);
    sought = true;
    return true;
  }

  private long olderThanSince(Connection file) throws SQLException {
    try {
      return FileIndex.olderThan(file, number, query.since());
    } catch (SQLException e) {
      if (Segment.isDamage(e)) {
        return 0; // the blocks may be sound
      }
      throw e;
    }
  }

  /** A position that is not before the last one of the open file. */
  private long end(Segment file) throws IOException {
    Segment following = segments.peek();
    return following == null ? file.beyond() : following.first() - 1;
  }

  /**
   * Open until its connection is closed.
   *
   * @param which {@code last >} to begin behind the position by the index, {@code last >=} to begin
   *     there, {@code abs(last) >} to read all
   */
  private ResultSet select(String which, long from) throws SQLException {
    PreparedStatement statement = prepare(which);
    statement.setLong(1, from);
    return statement.executeQuery();
  }

  private PreparedStatement prepare(String which) throws SQLException {
    Connection open = connection;
    if (open == null) {
      throw new IllegalStateException("no file is open");
    }
    return open.prepareStatement(sql + which + " ? ORDER BY last");
  }

  /** Returns whether the row has a block to read. */
  private boolean take(ResultSet row) throws SQLException, IOException {
    long last = row.getLong(LAST);
    if (passedOver > position && last > passedOver) {
      position = passedOver;
    }
    passedOver = 0;
    Segment file = current;
    if (file == null) {
      return false;
    }
    if (row.getObject(BLOCK) instanceof Number count) {
      long first = last - count.longValue() + 1;
      if (isNext(file, first, last)) {
        tellLost(file, first - 1);
        position = last;
        page.scan(null);
      }
      return false;
    }
    byte[] bytes = row.getBytes(BLOCK);
    Block found = bytes == null ? null : BlockCodec.decode(number, bytes);
    if (found != null) {
      if (!isNext(file, found.first(), found.last())) {
        return false;
      }
      tellLost(file, found.first() - 1);
      block = found;
      return true;
    }
    long count = count(last);
    if (count > 0) {
      if (isNext(file, last - count + 1, last)) {
        lose(last);
        position = last;
        page.scan(null);
      }
      return false;
    }
    ResultSet between = search(file, last); // how many events it had cannot be told
    if (between != null) {
      rows = between;
      return false;
    }
    passedOver = Math.min(last, end(file)); // the row may be of another file
    lose(passedOver);
    page.scan(null);
    return false;
  }

  /**
   * Whether a block is the next one. If others are missing before it, they are looked for once, and
   * then count as lost.
   */
  private boolean isNext(Segment file, long first, long last) throws SQLException, IOException {
    if (last <= position) {
      return false; // out of its place: it was read, or missed and told
    }
    if (first > position + 1) {
      if (sought) {
        sought = false;
        position = opened;
        searched = 0;
        lostFrom = 0;
        rows = select("abs(last) >", position);
        return false;
      }
      ResultSet between = search(file, first); // this row may be out of its place
      if (between != null) {
        rows = between;
        return false;
      }
      lose(first - 1);
      position = first - 1;
    }
    sought = false;
    return true;
  }

  private void lose(long last) {
    lostFrom = lostFrom == 0 ? position + 1 : lostFrom;
    lostTo = Math.max(lostTo, Math.max(lostFrom, last));
  }

  /**
   * Tells what is lost as one place.
   *
   * @param end the last position that may be lost
   */
  private void tellLost(Segment file, long end) {
    if (lostFrom > 0 && lostFrom <= end) {
      damage.found(file, lostFrom, Math.min(lostTo, end));
    }
    lostFrom = 0;
    lostTo = 0;
  }

  /** How many events a damaged block has, by its columns; 0 if they are damaged too. */
  private long count(long last) throws SQLException {
    Connection open = connection;
    if (open == null) {
      return 0;
    }
    try (PreparedStatement select =
        open.prepareStatement(COUNT.formatted(Tables.soundBlock(number)))) {
      select.setLong(1, last);
      ResultSet row = select.executeQuery();
      return row.next() ? row.getLong(1) : 0;
    } catch (SQLException e) {
      if (Segment.isDamage(e)) {
        return 0;
      }
      throw e;
    }
  }

  private void endOfFile() throws IOException, SQLException {
    Segment file = current;
    Segment following = segments.peek();
    if (file == null || following == null) {
      close();
      return;
    }
    long end = following.first() - 1;
    if (file.isGone()) {
      missRest(file);
    } else if (Math.max(position, passedOver) < end) {
      lose(end);
    }
    tellLost(file, end);
    close();
    position = Math.max(position, end);
  }

  /** The limits have deleted the file since the folder was listed. */
  private void missRest(Segment file) throws IOException {
    lostFrom = 0;
    if (segments.peek() != null) { // the newest file is never deleted
      long end = end(file);
      if (begun) {
        page.missed(Math.max(0, end - Math.max(position, passedOver)));
      }
      position = Math.max(position, end);
    }
  }

  private void readOnBehind(SQLException failure) throws SQLException, IOException {
    Segment file = current;
    if (file == null) {
      throw failure;
    }
    if (file.isGone()) {
      close();
      missRest(file);
      return;
    }
    if (Segment.isNotMadeYet(failure)) {
      endOfFile();
      return;
    }
    if (!Segment.isDamage(failure)) {
      throw failure;
    }
    if (segments.isEmpty()) {
      unsound.accept(file); // the writer goes on in another file
    }
    sought = false;
    passedOver = 0;
    ResultSet further = connection == null ? null : search(file, Long.MAX_VALUE);
    if (further == null) {
      lose(end(file));
      endOfFile();
    }
    rows = further;
  }

  /**
   * Looks for the next rows that SQLite can read.
   *
   * @param before they must begin before this position
   * @return null if there are none
   */
  private @Nullable ResultSet search(Segment file, long before) throws IOException, SQLException {
    long from = Math.max(position, searched) + 1;
    long end = Math.min(end(file), before - 1);
    long bad = from - 1;
    long good = from;
    while (good <= end && !isReadable(good, before)) {
      bad = good;
      good += 1 + (good - from) / STEPS;
    }
    if (good > end) {
      return null;
    }
    while (good - bad > 1) {
      long middle = bad + (good - bad) / 2;
      if (isReadable(middle, before)) {
        good = middle;
      } else {
        bad = middle;
      }
    }
    searched = good;
    return select("last >=", good);
  }

  private boolean isReadable(long from, long before) throws SQLException {
    try (PreparedStatement probe = prepare("last >=")) { // one that failed cannot be used again
      probe.setLong(1, from);
      ResultSet row = probe.executeQuery();
      return row.next() ? row.getLong(LAST) < before : before == Long.MAX_VALUE;
    } catch (SQLException e) {
      if (Segment.isDamage(e)) {
        return false;
      }
      throw e;
    }
  }

  @Override
  public void close() throws SQLException {
    if (current != null) {
      tellLost(current, lostTo);
    }
    Connection open = connection;
    connection = null;
    rows = null;
    if (open != null) {
      open.close();
    }
  }
}
