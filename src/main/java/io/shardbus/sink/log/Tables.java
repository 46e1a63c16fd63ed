package io.shardbus.sink.log;

/**
 * The tables of a file, and the sums that guard their columns. A sum is arithmetic that SQLite does
 * by itself while it chooses rows, so a row that is passed over costs no call. They hold only in
 * the file with the number given. The package gives the formula.
 */
final class Tables {

  private static final String MODULUS = "2147483647";
  private static final String FACTOR = "48271";

  static final String CREATE_BLOCKS =
      "CREATE TABLE IF NOT EXISTS blocks ("
          + "last INTEGER PRIMARY KEY, "
          + "count INTEGER NOT NULL, "
          + "shard INTEGER NOT NULL, "
          + "newest INTEGER NOT NULL, "
          + "span INTEGER NOT NULL, "
          + "ids INTEGER NOT NULL, "
          + "sum INTEGER NOT NULL, "
          + "block BLOB NOT NULL)";

  static final String CREATE_TIMES =
      "CREATE TABLE IF NOT EXISTS times ("
          + "time INTEGER PRIMARY KEY, "
          + "position INTEGER NOT NULL, "
          + "sum INTEGER NOT NULL)";

  private Tables() {}

  /** Takes the columns in their order, but for the sum. */
  static String addBlock(int file) {
    return "INSERT INTO blocks (last, count, shard, newest, span, ids, block, sum)"
        + " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
        + sum(file, "?1", "?2", "?3", "?4", "?5", "?6")
        + ")";
  }

  /** Takes the time and the position. */
  static String addTime(int file) {
    return "INSERT INTO times (time, position, sum) VALUES (?1, ?2, " + sum(file, "?1", "?2") + ")";
  }

  /** True for a row of {@code blocks} whose columns are as they were written; never null. */
  static String soundBlock(int file) {
    return "(sum = " + sum(file, "last", "count", "shard", "newest", "span", "ids") + ") IS TRUE";
  }

  /** True for a row of {@code times} that is as it was written; never null. */
  static String soundTime(int file) {
    return "(sum = " + sum(file, "time", "position") + ") IS TRUE";
  }

  private static String sum(int file, String... columns) {
    String sum = Integer.toUnsignedString(file);
    for (String column : columns) {
      sum = "(" + sum + ") * " + FACTOR + " + " + column + " % " + MODULUS;
      sum = "(" + sum + ") % " + MODULUS;
    }
    return sum;
  }
}
