package io.shardbus.app;

import java.util.concurrent.Callable;

/**
 * A command that {@link Main} does not know: {@link java.util.ServiceLoader} finds it. It is a
 * public class with a picocli annotation.
 */
public interface Tool extends Callable<Integer> {}
