package io.shardbus.app;

import io.shardbus.net.Similar;
import java.io.BufferedWriter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line. */
@Command(
    name = "shardbus",
    description = "Elastic, sharded event ingestion for Vert.x.",
    versionProvider = Main.Version.class,
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Try it:",
      "  shardbus serve                   start a server that keeps events in ./data",
      "  shardbus feed --generate 100000  send it 100,000 generated events",
      "  shardbus tail --from-start       read them back",
      "  shardbus stats                   see where they went",
      "  shardbus top                     watch the shards",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration."
    })
public final class Main implements Runnable {

  private static final Map<String, Class<?>> COMMANDS = commands();
  private static final int FAILED = 1;
  private static final int WRONG_USAGE = 2;
  private static final Set<String> VERSION = Set.of("--version", "-V");

  @Spec private CommandSpec spec;

  @Option(names = "--debug", description = "Show stack traces.", scope = ScopeType.INHERIT)
  private boolean debug;

  /** For picocli. */
  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  public Main() {}

  /**
   * Runs a command and ends the process with its exit code.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    if (System.getProperty("logback.configurationFile") == null) {
      System.setProperty("logback.configurationFile", "io/shardbus/app/logback.xml");
    }
    Locale.setDefault(Locale.ROOT); // all commands write numbers alike
    // Not System.out, which hides that the reader has gone. Events are UTF-8, also for a pipe.
    PrintWriter out =
        new PrintWriter(
            new BufferedWriter(
                new OutputStreamWriter(
                    new FileOutputStream(FileDescriptor.out), StandardCharsets.UTF_8)));
    int code = execute(out, new PrintWriter(System.err, true, StandardCharsets.UTF_8), args);
    // A reader that has gone wants no more, but a file should have all.
    if (code == 0 && out.checkError() && Files.isRegularFile(Path.of("/dev/stdout"))) {
      System.err.println("shardbus: not all output was written: is the disk full?");
      code = FAILED;
    }
    System.exit(code);
  }

  static int execute(PrintWriter out, PrintWriter err, String... args) {
    Main main = new Main();
    CommandLine line = commandLine(main, args);
    line.setOut(out);
    line.setErr(err);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler(
        (failure, words) -> {
          err.println("shardbus: " + Failures.describe(failure));
          err.println(advice(failure));
          err.flush();
          return WRONG_USAGE;
        });
    line.setExecutionExceptionHandler(
        (failure, command, parsed) -> {
          if (main.debug) {
            failure.printStackTrace(err);
          } else {
            err.println("shardbus: " + Failures.describe(failure));
          }
          err.flush();
          return failure instanceof ConfigException ? WRONG_USAGE : FAILED;
        });
    int code = line.execute(args);
    out.flush();
    return code;
  }

  /** The name that was probably meant, or where to find all. */
  private static String advice(CommandLine.ParameterException failure) {
    CommandLine command = failure.getCommandLine();
    if (failure instanceof CommandLine.UnmatchedArgumentException unmatched) {
      String given = unmatched.getUnmatched().get(0).replaceFirst("=.*", "");
      Stream<String> names =
          given.startsWith("-")
              ? command.getCommandSpec().optionsMap().keySet().stream()
              : command.getSubcommands().keySet().stream();
      Optional<String> meant = Similar.nearest(given, names, name -> name.length() / 3);
      if (meant.isPresent()) {
        return "  did you mean " + meant.get() + "?";
      }
    }
    return "  see " + command.getCommandSpec().qualifiedName() + " --help";
  }

  /**
   * Reading the annotations of all commands takes longer than most commands run, so only the one
   * that is called is read.
   *
   * @param words the command line, or nothing for all commands
   */
  static CommandLine commandLine(Main main, String... words) {
    CommandLine line = new CommandLine(main);
    String first = words.length == 0 ? "" : words[0];
    if (COMMANDS.containsKey(first)) {
      line.addSubcommand(first, COMMANDS.get(first));
    } else if (!(words.length == 1 && VERSION.contains(first))) {
      COMMANDS.forEach(line::addSubcommand);
      ServiceLoader.load(Tool.class).forEach(line::addSubcommand);
      line.addSubcommand(new CompletionCommand()).addSubcommand(new CommandLine.HelpCommand());
    }
    return line;
  }

  private static Map<String, Class<?>> commands() {
    Map<String, Class<?>> commands = new LinkedHashMap<>(); // in the order of the help
    commands.put("serve", ServeCommand.class);
    commands.put("feed", FeedCommand.class);
    commands.put("tail", TailCommand.class);
    commands.put("stats", StatsCommand.class);
    commands.put("top", TopCommand.class);
    commands.put("scale", ScaleCommand.class);
    commands.put("replay", ReplayCommand.class);
    commands.put("log", LogCommand.class);
    commands.put("warm-up", WarmUpCommand.class);
    return commands;
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** The version that the build wrote into the jar. */
  static final class Version implements CommandLine.IVersionProvider {

    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {
        "shardbus " + (version == null ? "(not from its jar)" : version),
        "Java " + Runtime.version()
      };
    }
  }
}
