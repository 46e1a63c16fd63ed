package io.shardbus.gateway;

import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The tokens that are known, by their digests: the tokens themselves are not kept. Immutable. */
final class Tokens {

  private static final Pattern TOKEN = Pattern.compile(TokenOptions.PATTERN);
  private static final Pattern SPACE = Pattern.compile("\\s+");

  private final List<Entry> entries;

  private static final class Entry {

    final byte[] digest;
    final Set<Role> roles;

    Entry(String token, Set<Role> roles) {
      digest = Sha256.of(token);
      this.roles = roles;
    }
  }

  private Tokens(List<Entry> entries) {
    this.entries = entries;
  }

  static boolean isToken(String text) {
    return TOKEN.matcher(text).matches();
  }

  /**
   * Those of the options and those of a file.
   *
   * @param lines of the file, each {@code role[,role] token}, a comment or empty
   * @param where what to call the file
   * @throws IllegalArgumentException naming the line, but never what might be a token
   */
  static Tokens of(TokenOptions options, List<String> lines, String where) {
    List<Entry> entries = new ArrayList<>();
    add(entries, options.getIngest(), Role.INGEST);
    add(entries, options.getRead(), Role.READ);
    add(entries, options.getAdmin(), Role.ADMIN);
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).replace("\ufeff", "").strip(); // a byte-order mark
      if (!line.isEmpty() && !line.startsWith("#")) {
        entries.add(entry(line, where + " line " + (i + 1)));
      }
    }
    return new Tokens(List.copyOf(entries));
  }

  private static void add(List<Entry> entries, @Nullable String token, Role role) {
    if (token != null) {
      entries.add(new Entry(token, EnumSet.of(role)));
    }
  }

  private static Entry entry(String line, String where) {
    String[] parts = SPACE.split(line, -1);
    if (parts.length != 2 || !isToken(parts[1])) {
      throw new IllegalArgumentException(
          where + ": must be role[,role] and a token, which is " + TokenOptions.ALLOWED);
    }
    Set<Role> roles = EnumSet.noneOf(Role.class);
    for (String name : parts[0].split(",", -1)) {
      try {
        roles.add(Role.valueOf(name.toUpperCase(Locale.ROOT)));
      } catch (IllegalArgumentException e) {
        // Its text is not repeated: if role and token were swapped, the token must not appear in a
        // log.
        throw new IllegalArgumentException(
            where + ": the roles before the token must be of ingest, read and admin", e);
      }
    }
    return new Entry(parts[1], roles);
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  int count() {
    return entries.size();
  }

  /** The roles of a token; null if it is not known. Takes as long for any token. */
  @Nullable Set<Role> roles(String token) {
    byte[] digest = Sha256.of(token);
    Set<Role> roles = null;
    for (Entry entry : entries) {
      if (MessageDigest.isEqual(digest, entry.digest)) {
        if (roles == null) {
          roles = EnumSet.noneOf(Role.class);
        }
        roles.addAll(entry.roles);
      }
    }
    return roles;
  }
}
