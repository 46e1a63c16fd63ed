package io.shardbus.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A screen that is drawn again and again. On a terminal, keys are read as they are pressed;
 * elsewhere, as they come. Closing it, also by Ctrl-C, restores the settings of the terminal.
 */
public final class Terminal implements AutoCloseable {

  private static final String ENTER = "\033[?1049h\033[?25l";
  private static final String LEAVE = "\033[?25h\033[?1049l";
  private static final String HOME = "\033[H";
  private static final String CLEAR_LINE = "\033[K\r\n";
  private static final String CLEAR_REST = "\033[J";
  private static final long POLL_MILLIS = 50;

  private final PrintWriter out;
  private final InputStream in = System.in;
  private final String settings;
  private final Thread onExit = new Thread(this::restore, "terminal");

  private Terminal(PrintWriter out, String settings) {
    this.out = out;
    this.settings = settings;
  }

  /**
   * Whether a person sees it. {@code System.console} cannot tell, as it is about all three at once.
   *
   * @param descriptor 0 for standard input, 1 for standard output, 2 for standard error
   * @return whether it is a terminal; false where that cannot be found out
   */
  public static boolean is(int descriptor) {
    try {
      return new ProcessBuilder("test", "-t", Integer.toString(descriptor))
              .inheritIO()
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  static Terminal open(PrintWriter out) {
    Terminal terminal = new Terminal(out, stty("-g"));
    Runtime.getRuntime().addShutdownHook(terminal.onExit);
    if (!terminal.settings.isEmpty()) {
      stty("-icanon -echo min 1");
    }
    out.print(ENTER);
    return terminal;
  }

  int columns(int otherwise) {
    return size(1, otherwise);
  }

  int lines(int otherwise) {
    return size(0, otherwise);
  }

  private static int size(int which, int otherwise) {
    String[] size = stty("size").split(" ", -1);
    try {
      int value = size.length == 2 ? Integer.parseInt(size[which]) : 0;
      return value > 0 ? value : otherwise;
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  void draw(List<String> lines) {
    out.print(HOME);
    // No line break behind the last: a full screen would scroll.
    out.print(String.join(CLEAR_LINE, lines));
    out.print("\033[K" + CLEAR_REST);
    out.flush();
  }

  /** Whether the reader of the output has gone. */
  boolean gone() {
    return out.checkError();
  }

  /** Waits; returns at once, with true, when q is pressed. */
  boolean quitWithin(long millis) throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (System.nanoTime() < end) {
      while (in.available() > 0) {
        int key = in.read();
        if (key == 'q' || key == 'Q') {
          return true;
        }
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
    }
    return false;
  }

  @Override
  public void close() {
    restore();
    try {
      Runtime.getRuntime().removeShutdownHook(onExit);
    } catch (IllegalStateException e) {
      // the process is ending: the hook does no harm
    }
  }

  private void restore() {
    out.print(LEAVE);
    out.flush();
    if (!settings.isEmpty()) {
      stty(settings);
    }
  }

  /** Empty where there is no terminal, or no such program. */
  private static String stty(String arguments) {
    try {
      String[] command = ("stty " + arguments).split(" ", -1);
      Process process =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? said.strip() : "";
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }
}
