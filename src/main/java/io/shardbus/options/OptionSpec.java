package io.shardbus.options;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Describes an option, on its setter. {@link OptionRanges} checks values by it. The schema of the
 * configuration and the tables in {@code docs/} are made from it. The default is the value that the
 * getter of new options returns.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface OptionSpec {

  /** {@return what the option does, as a phrase; text in backticks is code} */
  String value();

  /**
   * @return the least value: a number, or a duration such as {@code 1ms}; of text, 1 if it must not
   *     be empty; empty for no limit
   */
  String min() default "";

  /** {@return the largest value; empty for no limit} */
  String max() default "";

  /** {@return a value that is too small by itself; empty for no limit} */
  String above() default "";

  /** {@return the regular expression that text must match; empty for any text} */
  String pattern() default "";

  /** {@return in words what else is required, or what {@code pattern} takes; empty for nothing} */
  String allowed() default "";

  /**
   * @return the default in words, where it depends on the machine or on other options; empty if the
   *     value says it
   */
  String unset() default "";

  /** {@return whether no message may show the value} */
  boolean secret() default false;
}
