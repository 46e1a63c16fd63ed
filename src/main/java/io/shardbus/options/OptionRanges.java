package io.shardbus.options;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Checks values of options against the {@link OptionSpec} of their setters. */
public final class OptionRanges {

  private static final ClassValue<Map<String, OptionSpec>> SPECS =
      new ClassValue<>() {
        @Override
        protected Map<String, OptionSpec> computeValue(Class<?> type) {
          Map<String, OptionSpec> specs = new TreeMap<>();
          for (Method setter : type.getMethods()) {
            OptionSpec spec = setter.getAnnotation(OptionSpec.class);
            if (spec != null) {
              String name = setter.getName().substring("set".length());
              specs.put(name.substring(0, 1).toLowerCase(Locale.ROOT) + name.substring(1), spec);
            }
          }
          return specs;
        }
      };

  private static final String NOT_EMPTY = "not empty";

  private OptionRanges() {}

  /**
   * The options of a class.
   *
   * @param type the class, with a setter for each option
   * @return the specs by name, of the options that have one
   */
  public static Map<String, OptionSpec> specs(Class<?> type) {
    return Map.copyOf(SPECS.get(type));
  }

  /**
   * Checks a value.
   *
   * @param options the object that has the option
   * @param name the option, with the path to it if it is part of others: {@code batch.minSize}
   * @param value its new value: a number, a duration or text
   * @param <T> its type
   * @return the value
   * @throws IllegalArgumentException with the name, the value unless it is secret, and the range
   */
  public static <T> T check(Object options, String name, T value) {
    OptionSpec spec = SPECS.get(options.getClass()).get(name.substring(name.lastIndexOf('.') + 1));
    if (spec == null) {
      throw new IllegalStateException(options.getClass() + " has no spec of " + name);
    }
    if (!fits(spec, value)) {
      throw new IllegalArgumentException(
          name + ": " + shown(spec, value) + "must " + must(range(spec, value.getClass())));
    }
    return value;
  }

  private static String shown(OptionSpec spec, Object value) {
    if (value instanceof Duration time) {
      return (time.isNegative() ? time : Durations.format(time)) + " ";
    }
    if (value instanceof String text) {
      return text.isBlank() || spec.secret() ? "" : "\"" + text + "\" ";
    }
    return value + " ";
  }

  private static String must(String range) {
    return range.equals(NOT_EMPTY) ? "not be empty" : "be " + range.replace("`", "");
  }

  private static boolean fits(OptionSpec spec, Object value) {
    if (value instanceof String text) {
      return (spec.min().isEmpty() || !text.isBlank())
          && (spec.pattern().isEmpty() || Pattern.matches(spec.pattern(), text));
    }
    if (value instanceof Duration time) {
      return within(spec, time, Durations::parse);
    }
    return value instanceof Double number
        ? within(spec, number, Double::valueOf)
        : within(spec, ((Number) value).longValue(), Long::valueOf);
  }

  private static <T extends Comparable<T>> boolean within(
      OptionSpec spec, T value, Function<String, T> parse) {
    return !value.equals(Double.NaN)
        && (spec.min().isEmpty() || value.compareTo(parse.apply(spec.min())) >= 0)
        && (spec.max().isEmpty() || value.compareTo(parse.apply(spec.max())) <= 0)
        && (spec.above().isEmpty() || value.compareTo(parse.apply(spec.above())) > 0);
  }

  /**
   * The allowed values of an option, in words.
   *
   * @param spec the option
   * @param type its Java type
   * @return such as {@code 1 to 65535} or {@code not empty}; empty if it allows all values of the
   *     type
   */
  public static String range(OptionSpec spec, Class<?> type) {
    String range = "";
    if (type.isEnum() && spec.allowed().isEmpty()) {
      range =
          Arrays.stream(type.getEnumConstants())
              .map(each -> "`" + each + "`")
              .collect(Collectors.joining(", "));
    } else if (type == String.class && !spec.min().isEmpty()) {
      range = spec.allowed().isEmpty() ? NOT_EMPTY : "";
    } else if (!spec.above().isEmpty()) {
      range = "above " + spec.above() + (spec.max().isEmpty() ? "" : " and at most " + spec.max());
    } else if (!spec.min().isEmpty()) {
      range = spec.max().isEmpty() ? "at least " + spec.min() : spec.min() + " to " + spec.max();
    }
    return range.isEmpty() || spec.allowed().isEmpty()
        ? range + spec.allowed()
        : range + ", " + spec.allowed();
  }
}
