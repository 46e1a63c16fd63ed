package io.shardbus.options;

import io.vertx.core.json.JsonObject;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/** Copies options by their getters and setters, so that no copy can miss one. */
public final class OptionsCopy {

  private static final String SET = "set";

  private OptionsCopy() {}

  /**
   * Sets what the other options have; what they do not have keeps its value. Options and JSON
   * inside them are copied too.
   *
   * @param from the options to copy
   * @param to options of the same class
   * @param <T> their class, which is public
   */
  public static <T> void copy(T from, T to) {
    try {
      for (Method setter : to.getClass().getMethods()) {
        if (setter.getName().startsWith(SET) && setter.getParameterCount() == 1) {
          Object value = getter(from, setter).invoke(from);
          if (value != null) {
            setter.invoke(to, own(value));
          }
        }
      }
    } catch (InvocationTargetException e) {
      throw new IllegalArgumentException(String.valueOf(e.getTargetException().getMessage()), e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("options must be public, with getters and setters", e);
    }
  }

  private static Method getter(Object options, Method setter) throws NoSuchMethodException {
    boolean isBoolean = setter.getParameterTypes()[0] == boolean.class;
    String name = (isBoolean ? "is" : "get") + setter.getName().substring(SET.length());
    return options.getClass().getMethod(name);
  }

  private static Object own(Object value) throws ReflectiveOperationException {
    if (value instanceof JsonObject json) {
      return json.copy();
    }
    Class<?> type = value.getClass();
    for (var constructor : type.getConstructors()) {
      if (constructor.getParameterCount() == 1 && constructor.getParameterTypes()[0] == type) {
        return constructor.newInstance(value);
      }
    }
    return value; // it cannot be changed
  }
}
