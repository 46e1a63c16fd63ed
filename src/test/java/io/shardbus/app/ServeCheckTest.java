package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code serve --check} refuses what {@code serve} refuses, in the same words. */
@Tag("once")
@Timeout(60) // for a server that starts
class ServeCheckTest {

  @TempDir Path dir;
  private String out;
  private String err;

  private int serve(String... options) {
    List<String> words = new ArrayList<>(List.of("serve"));
    words.addAll(List.of(options));
    Command command = Command.run(words.toArray(String[]::new));
    out = command.stdout();
    err = command.stderr();
    return command.exit();
  }

  private void assertRefused(String what, String allowed, String... options) {
    List<String> said = new ArrayList<>();
    for (String mode : new String[] {"--check", "--print-config", "--debug=false"}) {
      List<String> all = new ArrayList<>(List.of(options));
      all.add(mode);
      int code = serve(all.toArray(String[]::new));
      assertThat(code).as("%s: %s", mode, err).isEqualTo(2);
      assertThat(out).as(mode).isEmpty();
      assertThat(err).contains(what).contains(allowed).doesNotContain("Exception");
      assertThat(err.lines()).hasSize(1);
      said.add(err);
    }
    assertThat(said).as("the same words").containsOnly(said.get(0));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // unknown names
        "{'bus':{'sink':{'name':'nowhere'}}} | sink: \"nowhere\" is unknown | eventbus, file, http,"
            + " jetstream, kafka, log",
        "{'buss':{}} | unknown section \"buss\" | bus, gateway and cluster",
        "{'bus':{'shard':1}} | \"bus\": unknown option \"shard\" | shards",
        "{'bus':{'batch':{'size':1}}} | unknown option \"batch.size\" | maxSize",
        "{'bus':{'delivery':{'retries':1}}} | unknown option \"delivery.retries\" | maxAttempts",
        "{'bus':{'scaling':{'max':1}}} | unknown option \"scaling.max\" | maxShards",
        "{'bus':{'sink':{'type':'log'}}} | unknown option \"sink.type\" | name",
        "{'bus':{'sink':{'config':{'folder':'x'}}}} | sink log: unknown option \"folder\" | dir",
        "{'bus':{'sink':{'name':'noop','config':{'a':1}}}} | sink noop: unknown option | it has"
            + " none",
        "{'gateway':{'prot':1}} | \"gateway\": unknown option \"prot\" | port",
        "{'gateway':{'tls':{'cert':'x'}}} | unknown option \"tls.cert\" | certificate",
        "{'gateway':{'token':{'write':'x'}}} | unknown option \"token.write\" | ingest",
        // null
        "null | not a JSON object | JSON",
        "{'bus':null} | section \"bus\" | JSON object",
        "{'bus':{'shards':null}} | option \"shards\" | must not be null",
        "{'bus':{'backpressure':null}} | option \"backpressure\" | must not be null",
        "{'bus':{'address':null}} | option \"address\" | must not be null",
        "{'bus':{'closeTimeout':null}} | option \"closeTimeout\" | must not be null",
        "{'bus':{'dataDir':null}} | option \"dataDir\" | must not be null",
        "{'bus':{'scaling':null}} | option \"scaling\" | must not be null",
        "{'bus':{'batch':null}} | option \"batch\" | must not be null",
        "{'bus':{'batch':{'maxDelay':null}}} | option \"batch.maxDelay\" | must not be null",
        "{'bus':{'sink':null}} | option \"sink\" | must not be null",
        "{'bus':{'sink':{'config':null}}} | option \"sink.config\" | must not be null",
        "{'bus':{'sink':{'config':{'writers':null}}}} | sink log: option \"writers\" | must not be"
            + " null",
        "{'gateway':{'host':null}} | option \"host\" | must not be null",
        "{'gateway':{'tls':null}} | option \"tls\" | must not be null",
        "{'gateway':{'token':{'read':null}}} | option \"token.read\" | must not be null",
        // types
        "{'bus':[]} | section \"bus\" | JSON object",
        "{'bus':{'shards':'three'}} | option \"shards\" | must be a whole number, is \"three\"",
        "{'bus':{'shards':1.5}} | option \"shards\" | must be a whole number, is 1.5",
        "{'bus':{'shards':true}} | option \"shards\" | must be a whole number",
        "{'bus':{'shards':[1]}} | option \"shards\" | must be a whole number",
        "{'bus':{'shards':99999999999}} | option \"shards\" | 99999999999",
        "{'bus':{'batch':{'adaptive':'yes'}}} | option \"batch.adaptive\" | must be true or false,"
            + " is \"yes\"",
        "{'bus':{'scaling':{'fillRatioThreshold':'x'}}} | option \"scaling.fillRatioThreshold\" |"
            + " must be a number, is \"x\"",
        "{'bus':{'backpressure':5}} | option \"backpressure\" | must be text",
        "{'bus':{'backpressure':'drop'}} | backpressure: \"drop\" | drop-newest",
        "{'bus':{'closeTimeout':30}} | option \"closeTimeout\" | such as 10ms",
        "{'bus':{'closeTimeout':[]}} | option \"closeTimeout\" | such as 10ms",
        "{'bus':{'batch':5}} | option \"batch\" | must be a JSON object",
        "{'bus':{'batch':[]}} | option \"batch\" | must be a JSON object",
        "{'bus':{'sink':{'config':5}}} | option \"sink.config\" | must be a JSON object",
        "{'bus':{'sink':{'config':{'synchronous':'maybe'}}}} | option \"synchronous\" | normal",
        "{'gateway':{'host':[]}} | option \"host\" | must be text",
        // ranges
        "{'bus':{'shards':0}} | shards: 0 | 1 to 65535",
        "{'bus':{'ringCapacity':1000}} | ringCapacity: 1000 | power of two",
        "{'gateway':{'port':70000}} | port: 70000 | 0 to 65535",
        "{'gateway':{'allowedOrigins':'*'}} | allowedOrigins: \"*\" | https://app.example:8443",
        "{'bus':{'sink':{'config':{'writers':0}}}} | writers: 0 | 1 to 64",
        "{'bus':{'sink':{'name':'kafka','config':{'properties':{'acks':'0'}}}}} | acks cannot be"
            + " set | decides",
        "{'bus':{'sink':{'name':'kafka','config':{'bootstrapServers':'foo'}}}} | bootstrapServers:"
            + " \"foo\" | HOST:PORT",
        "{'bus':{'sink':{'name':'kafka','config':{'properties':{'compression.type':'x'}}}}} |"
            + " compression.type | gzip",
        "{'gateway':{'host':'192.0.2.1','insecure':true}} | host: 192.0.2.1 | an address of this"
            + " machine",
        // what contradicts
        "{'bus':{'batch':{'minSize':10,'maxSize':5}}} | batch.minSize: 10 | batch.maxSize, which is"
            + " 5",
        "{'bus':{'maxRingBytes':1}} | maxRingBytes: 1 | maxEventBytes",
        "{'bus':{'scaling':{'underutilizedThreshold':0.9}}} | underutilizedThreshold: 0.9 | below",
        "{'gateway':{'host':'0.0.0.0'}} | host: 0.0.0.0 | set tokensFile or token",
        "{'gateway':{'tls':{'key':'pom.xml'}}} | tls: certificate and key | certificate is missing",
        // files
        "{'bus':{'sink':{'config':{'dir':'pom.xml/x'}}}} | sink log: dir: | pom.xml is not a"
            + " folder",
        "{'gateway':{'tokensFile':'no-such-file'}} | tokensFile: no-such-file cannot be"
            + " read | it does not exist",
        "{'gateway':{'tokensFile':'src'}} | tokensFile | src cannot be read: Is a directory",
        "{'gateway':{'tls':{'key':'pom.xml','certificate':'none'}}} | tls.certificate: none cannot"
            + " be read | it does not exist",
        "{'gateway':{'tls':{'key':'pom.xml','certificate':'src'}}} | tls.certificate | src cannot"
            + " be read: Is a directory",
        "{'gateway':{'tls':{'key':'pom.xml','certificate':'pom.xml'}}} | tls | cannot be used"
      })
  void badConfiguration_isRefused(String json, String what, String allowed) throws Exception {
    Path file = Files.writeString(dir.resolve("c.json"), json.replace('\'', '"'));
    assertRefused(
        what, allowed, "--config", file.toString(), "--data", dir.resolve("d").toString());
  }

  @Test
  void badFlags_areRefused() throws Exception {
    String data = dir.resolve("d").toString();
    assertRefused("port: 65536", "0 to 65535", "--port", "65536");
    assertRefused("shards: 0", "1 to 65535", "--shards", "0");
    assertRefused("\"nowhere\"", "memory, noop", "--sink", "nowhere", "--data", data);
    assertRefused("host: 0.0.0.0", "set tokensFile or token", "--host", "0.0.0.0", "--data", data);
    assertRefused(dir.toString(), "cannot be read: Is a directory", "--config", dir.toString());
    String none = dir.resolve("none.json").toString();
    assertRefused("none.json", "it does not exist", "--config", none);
    Path bytes = Files.write(dir.resolve("bytes"), new byte[] {-1});
    assertRefused("bytes cannot be read", "not UTF-8 text", "--config", bytes.toString());
    Path file = Files.writeString(dir.resolve("file"), "");
    assertRefused("dataDir: ", file + " is not a folder", "--data", file.toString());
    assertRefused("dataDir: ", file + " is not a folder", "--data", file + "/x/y");
  }

  @Test
  void misspeltProvider_isNamed() throws Exception {
    Path services = Files.createDirectories(dir.resolve("META-INF/services"));
    Files.writeString(services.resolve("io.shardbus.sink.SinkProvider"), "no.Such");
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    try (var loader = new URLClassLoader(new URL[] {dir.toUri().toURL()}, before)) {
      Thread.currentThread().setContextClassLoader(loader);
      assertRefused("SinkProvider", "no.Such not found", "--data", dir.resolve("d").toString());
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  @Test
  void secrets_areNotRepeated() throws Exception {
    for (String bad :
        new String[] {
          "{'gateway':{'token':'hush'}}",
          "{'gateway':{'token':{'read':['hush']}}}",
          "{'gateway':{'token':{'read':'hush hush'}}}",
          "{'bus':{'sink':{'name':'redis','config':{'password':['hush']}}}}",
          "{'bus':{'sink':{'config':'hush'}}}",
          "{'bus':{'sink':{'name':'kafka','config':{'properties':{'sasl.jaas.config':'hush',"
              + "'linger.ms':'hush'}}}}}"
        }) {
      Path file = Files.writeString(dir.resolve("c.json"), bad.replace('\'', '"'));
      assertThat(serve("--check", "--config", file.toString())).as(bad).isEqualTo(2);
      assertThat(err).startsWith("shardbus: ").doesNotContain("hush");
    }
  }

  @Test
  void check_leavesNoTrace() {
    Path data = dir.resolve("a/b");
    for (String mode : new String[] {"--check", "--print-config"}) {
      assertThat(serve(mode, "--data", data.toString())).as(err).isZero();
      assertThat(data.getParent()).doesNotExist();
    }
  }
}
