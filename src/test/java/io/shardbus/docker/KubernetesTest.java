package io.shardbus.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/** The manifests name only ports, paths, options and files that there are. */
class KubernetesTest {

  private final Map<String, JsonObject> byName = new HashMap<>();
  private JsonObject container;

  @BeforeEach
  @SuppressWarnings("unchecked")
  void read() throws Exception {
    String yaml = Files.readString(Path.of("conf/kubernetes/shardbus.yaml"));
    for (Object each : new Yaml().loadAll(yaml)) {
      JsonObject manifest = new JsonObject((Map<String, Object>) each);
      String name = manifest.getJsonObject("metadata").getString("name");
      assertThat(byName.put(manifest.getString("kind") + " " + name, manifest)).isNull();
    }
    container = pod().getJsonArray("containers").getJsonObject(0);
  }

  private JsonObject spec(String name) {
    return byName.get(name).getJsonObject("spec");
  }

  private JsonObject pod() {
    return spec("StatefulSet shardbus").getJsonObject("template").getJsonObject("spec");
  }

  private static Set<String> values(JsonArray all, String member) {
    return all.stream()
        .map(each -> String.valueOf(((JsonObject) each).getValue(member)))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private Map<String, String> environment() {
    Map<String, String> all = new HashMap<>();
    for (Object each : container.getJsonArray("env")) {
      JsonObject variable = (JsonObject) each;
      all.put(variable.getString("name"), variable.getString("value", ""));
    }
    return all;
  }

  @Test
  void ports_areThoseOfTheOptionsAndTheImage() throws Exception {
    assertThat(container.getJsonArray("ports").stream().map(each -> ((JsonObject) each).getMap()))
        .containsExactlyInAnyOrder(
            Map.of("name", "http", "containerPort", 8080),
            Map.of("name", "cluster", "containerPort", 5701),
            Map.of("name", "event-bus", "containerPort", 15701));
    assertThat(Files.readString(Path.of("docker/Dockerfile"))).contains("EXPOSE 8080");
    assertThat(environment())
        .containsEntry("SHARDBUS_CLUSTER_PORT", "5701")
        .containsEntry("SHARDBUS_CLUSTER_EVENT_BUS_PORT", "15701")
        .containsEntry("SHARDBUS_CLUSTER_SERVICE", "shardbus-nodes");
    Set<String> names = values(container.getJsonArray("ports"), "name");
    for (String service : List.of("Service shardbus", "Service shardbus-nodes")) {
      assertThat(names).containsAll(values(spec(service).getJsonArray("ports"), "targetPort"));
    }
    for (Object rule : spec("NetworkPolicy shardbus").getJsonArray("ingress")) {
      assertThat(names).containsAll(values(((JsonObject) rule).getJsonArray("ports"), "port"));
    }
    assertThat(spec("StatefulSet shardbus").getString("serviceName")).isEqualTo("shardbus-nodes");
    assertThat(spec("Service shardbus-nodes").getString("clusterIP")).isEqualTo("None");
  }

  @Test
  void probes_askWhatTheServerAnswers() throws Exception {
    JsonObject paths =
        new JsonObject(
                Files.readString(Path.of("src/main/resources/io/shardbus/gateway/openapi.json")))
            .getJsonObject("paths");
    for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
      JsonObject get = container.getJsonObject(probe).getJsonObject("httpGet");
      assertThat(paths.fieldNames()).contains(get.getString("path"));
      assertThat(get.getString("port")).isEqualTo("http");
    }
  }

  @Test
  void environment_namesOptions() throws Exception {
    String schema =
        Files.readString(Path.of("src/main/resources/io/shardbus/app/config.schema.json"));
    JsonObject sections = new JsonObject(schema).getJsonObject("properties");
    Set<String> known = new TreeSet<>(Set.of("SHARDBUS_SINK"));
    for (String section : List.of("bus", "gateway", "cluster")) {
      String prefix = section.equals("cluster") ? "SHARDBUS_CLUSTER" : "SHARDBUS";
      collect(prefix, sections.getJsonObject(section), known);
    }
    assertThat(known).containsAll(environment().keySet());
  }

  private static void collect(String name, JsonObject schema, Set<String> known) {
    known.add(name);
    for (Map.Entry<String, Object> each : schema.getJsonObject("properties", new JsonObject())) {
      String word = each.getKey().replaceAll("([a-z0-9])([A-Z])", "$1_$2").toUpperCase(Locale.ROOT);
      if (each.getValue() instanceof JsonObject inner) {
        collect(name + "_" + word, inner, known);
      }
    }
  }

  @Test
  void volumes_areThoseThatTheContainerMounts() {
    Set<String> volumes = values(pod().getJsonArray("volumes"), "name");
    for (Object claim : spec("StatefulSet shardbus").getJsonArray("volumeClaimTemplates")) {
      volumes.add(((JsonObject) claim).getJsonObject("metadata").getString("name"));
    }
    assertThat(values(container.getJsonArray("volumeMounts"), "name")).isEqualTo(volumes);
    assertThat(container.getJsonObject("lifecycle").containsKey("preStop")).isTrue();
    assertThat(pod().getInteger("terminationGracePeriodSeconds")).isGreaterThan(95);
  }
}
