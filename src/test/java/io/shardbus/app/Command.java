package io.shardbus.app;

import java.io.PrintWriter;
import java.io.StringWriter;

/**
 * A command that ran in this process: a process of its own takes a second of a processor.
 *
 * @param exit its exit code
 * @param stdout what it wrote
 * @param stderr what it wrote about itself
 */
record Command(int exit, String stdout, String stderr) {

  /** Runs it to its end. */
  static Command run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exit = Main.execute(new PrintWriter(out), new PrintWriter(err), args);
    return new Command(exit, out.toString(), err.toString());
  }
}
