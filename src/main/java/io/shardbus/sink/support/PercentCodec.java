package io.shardbus.sink.support;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Text as printable ASCII, as CloudEvents has it for HTTP and NATS: space, double quote, percent
 * and whatever is no printable ASCII become % and two hexadecimal digits for each byte of UTF-8.
 */
public final class PercentCodec {

  private static final String DIGITS = "0123456789ABCDEF";

  private PercentCodec() {}

  private static boolean stays(int c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '%';
  }

  /**
   * Whether a header can hold the text as it is: NATS cuts off spaces at its ends.
   *
   * @param text the text
   * @return whether it is printable ASCII without spaces at its ends
   */
  public static boolean isPlain(String text) {
    return text.chars().allMatch(c -> c >= ' ' && c < 0x7f) && text.strip().equals(text);
  }

  /**
   * Encodes a text.
   *
   * @param text any text
   * @return printable ASCII
   */
  public static String encode(String text) {
    if (text.chars().allMatch(PercentCodec::stays)) {
      return text;
    }
    StringBuilder out = new StringBuilder(text.length() * 2);
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      int c = b & 0xff;
      if (stays(c)) {
        out.append((char) c);
      } else {
        out.append('%').append(DIGITS.charAt(c >> 4)).append(DIGITS.charAt(c & 15));
      }
    }
    return out.toString();
  }

  /**
   * Decodes a text. A % without two digits behind it stays: other programs may have written it.
   *
   * @param text as {@link #encode} returns it
   * @return the text that was encoded
   */
  public static String decode(String text) {
    if (text.indexOf('%') < 0) {
      return text;
    }
    byte[] in = text.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream(in.length);
    for (int i = 0; i < in.length; i++) {
      int high = in[i] == '%' && i + 2 < in.length ? Character.digit(in[i + 1], 16) : -1;
      int low = high < 0 ? -1 : Character.digit(in[i + 2], 16);
      if (low >= 0) {
        out.write(high << 4 | low);
        i += 2;
      } else {
        out.write(in[i]);
      }
    }
    return out.toString(StandardCharsets.UTF_8);
  }
}
