package io.shardbus;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.vertx.core.http.impl.HttpServerConnection;
import io.vertx.core.internal.CloseFuture;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.internal.buffer.BufferInternal;
import io.vertx.micrometer.impl.MicrometerMetrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The house: which package may know which. */
@Tag("once")
class ArchitectureTest {

  /** The logger that Vert.x exports to its own clients. */
  private static final String LOGGING = "io.vertx.core.internal.logging";

  /** A step of a walk: how it is reached, its class and its method. */
  private static final Pattern STEP = Pattern.compile("(?:(→|⇢)\\s+)?`([A-Z]\\w+)(?:#(\\w+))?`");

  private static final String TESTS =
      ArchitectureTest.class.getProtectionDomain().getCodeSource().getLocation().getPath();

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(at -> !at.contains(TESTS) || at.contains("/io/shardbus/junit5/"))
          .importPackages("io.shardbus");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "io.shardbus.options|''",
        "io.shardbus.event|''",
        "io.shardbus.files|event",
        "io.shardbus.shard|event,options",
        "io.shardbus.sink|event,options",
        "io.shardbus.sink.support|event,options,sink",
        "io.shardbus.delivery|event,options,files,shard,sink,sink.support",
        "io.shardbus.eventbus|event,options,shard,delivery",
        "io.shardbus|event,options,files,shard,sink,delivery,eventbus",
        "io.shardbus.metrics|event,options,shard,sink,ROOT",
        "io.shardbus.net|''",
        "io.shardbus.gateway|event,options,files,shard,sink,sink.support,delivery,ROOT,metrics,net",
        "io.shardbus.junit5|event,shard,sink,ROOT"
      })
  void packages_importOnlyWhatIsBelow(String from, String allowed) {
    String[] below =
        Arrays.stream(allowed.split(","))
            .filter(name -> !name.isEmpty())
            .map(name -> name.equals("ROOT") ? "io.shardbus" : "io.shardbus." + name)
            .toArray(String[]::new);
    DescribedPredicate<JavaClass> others =
        resideInAPackage("io.shardbus..")
            .and(not(resideInAnyPackage(below)))
            .and(not(resideInAPackage(from)));
    // This verticle is in the root for the sake of its name. Nothing depends on it.
    noClasses()
        .that()
        .resideInAPackage(from)
        .and()
        .doNotHaveFullyQualifiedName("io.shardbus.ShardBusVerticle")
        .should()
        .dependOnClassesThat(others)
        .check(CLASSES);
  }

  @Test
  void sinks_knowOnlyTheirInterface() {
    noClasses()
        .that()
        .resideInAPackage("io.shardbus.sink.*")
        .should()
        .dependOnClassesThat(
            resideInAnyPackage(
                "io.shardbus",
                "io.shardbus.shard",
                "io.shardbus.delivery",
                "io.shardbus.eventbus",
                "io.shardbus.metrics",
                "io.shardbus.gateway",
                "io.shardbus.app"))
        .check(CLASSES);
    slices()
        .matching("io.shardbus.sink.(*)")
        .should()
        .notDependOnEachOther()
        .ignoreDependency(
            DescribedPredicate.alwaysTrue(), resideInAPackage("io.shardbus.sink.support"))
        .check(CLASSES);
  }

  @Test
  void engine_needsNothingOfVertxButBuffers() {
    noClasses()
        .that()
        .resideInAPackage("io.shardbus.shard")
        .should()
        .dependOnClassesThat(
            resideInAPackage("io.vertx..")
                .and(
                    not(
                        resideInAnyPackage(
                            "io.vertx.core.buffer",
                            "io.vertx.core.json",
                            LOGGING,
                            "io.vertx.codegen.annotations"))))
        .check(CLASSES);
  }

  /** But in four places, which say why. */
  @Test
  void vertxInternals_areNotUsed() {
    DescribedPredicate<JavaClass> internal =
        resideInAPackage("io.vertx..internal..")
            .or(resideInAPackage("io.vertx..impl.."))
            .and(not(resideInAPackage(LOGGING)));
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName("io.shardbus.event.BufferAccess")
        .and()
        .doNotHaveFullyQualifiedName("io.shardbus.delivery.CloseHook")
        .and()
        .doNotHaveFullyQualifiedName("io.shardbus.net.ReadControl")
        .and()
        .doNotHaveFullyQualifiedName("io.shardbus.metrics.VertxMeters$OfVertx")
        .should()
        .dependOnClassesThat(internal)
        .check(CLASSES);
    noClasses()
        .should()
        .dependOnClassesThat(
            internal
                .and(not(type(BufferInternal.class)))
                .and(not(type(VertxInternal.class)))
                .and(not(type(CloseFuture.class)))
                .and(not(type(ContextInternal.class)))
                .and(not(type(HttpServerConnection.class)))
                .and(not(type(MicrometerMetrics.class))))
        .check(CLASSES);
  }

  /** The library's jar goes without these. */
  @Test
  void library_needsNoCommandLine() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.shardbus.app..")
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("io.shardbus.app..", "picocli..", "org.HdrHistogram.."))
        .check(CLASSES);
    noClasses()
        .that()
        .resideOutsideOfPackages("io.shardbus.app.soak", "io.shardbus.app.bench")
        .should()
        .dependOnClassesThat(resideInAnyPackage("io.shardbus.app.soak", "io.shardbus.app.bench"))
        .check(CLASSES);
  }

  @Test
  void packages_haveNoCircles() {
    slices().matching("io.shardbus.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void classesOfAPackage_haveNoCircles() {
    Map<JavaClass, Set<JavaClass>> reached = new HashMap<>();
    Map<JavaClass, Set<JavaClass>> uses = uses();
    uses.keySet().forEach(each -> reached.put(each, reachedFrom(each, uses)));
    Set<Set<String>> circles = new HashSet<>();
    for (JavaClass each : uses.keySet()) {
      if (reached.get(each).contains(each)) {
        circles.add(
            reached.get(each).stream()
                .filter(other -> reached.get(other).contains(each))
                .map(JavaClass::getName)
                .collect(Collectors.toCollection(TreeSet::new)));
      }
    }
    assertThat(circles).isEmpty();
  }

  /**
   * What each top-level class, with those inside of it, uses of its own package. That the static
   * factory of a public interface makes its hidden implementation does not count.
   */
  private static Map<JavaClass, Set<JavaClass>> uses() {
    Map<JavaClass, Set<JavaClass>> uses = new HashMap<>();
    for (JavaClass each : CLASSES) {
      JavaClass from = topLevel(each);
      Set<JavaClass> used = uses.computeIfAbsent(from, key -> new HashSet<>());
      for (Dependency dependency : each.getDirectDependenciesFromSelf()) {
        JavaClass to = topLevel(dependency.getTargetClass().getBaseComponentType());
        boolean factory = isPublic(from) && from.isInterface() && !isPublic(to);
        if (!to.equals(from) && to.getPackageName().equals(from.getPackageName()) && !factory) {
          used.add(to);
        }
      }
    }
    return uses;
  }

  /**
   * Each class and method of the walks exists. A class that is called is used by an earlier one, or
   * implements it.
   */
  @Test
  void walksOfTheDocument_followTheCode() throws IOException {
    String document = Files.readString(Path.of("docs/architecture.md"));
    String section = document.substring(document.indexOf("## Where to begin reading"));
    for (String walk : section.split("\n\n", -1)) {
      List<JavaClass> earlier = new ArrayList<>();
      for (MatchResult step : STEP.matcher(walk).results().toList()) {
        List<JavaClass> found =
            CLASSES.stream()
                .filter(
                    each ->
                        topLevel(each).equals(each) && each.getSimpleName().equals(step.group(2)))
                .toList();
        assertThat(found).as(step.group()).hasSize(1);
        JavaClass next = found.get(0);
        if (step.group(3) != null) {
          assertThat(next.getMethods()).extracting(JavaMethod::getName).contains(step.group(3));
        }
        if ("→".equals(step.group(1))) {
          assertThat(earlier)
              .as(step.group())
              .anyMatch(each -> reaches(each, next) || next.isAssignableTo(each.getName()));
        }
        earlier.add(next);
      }
    }
  }

  private static boolean reaches(JavaClass from, JavaClass to) {
    return CLASSES.stream()
        .filter(each -> topLevel(each).equals(from))
        .flatMap(each -> each.getDirectDependenciesFromSelf().stream())
        .anyMatch(dependency -> dependency.getTargetClass().equals(to));
  }

  private static boolean isPublic(JavaClass each) {
    return each.getModifiers().contains(JavaModifier.PUBLIC);
  }

  private static JavaClass topLevel(JavaClass inner) {
    return inner.getEnclosingClass().map(ArchitectureTest::topLevel).orElse(inner);
  }

  private static Set<JavaClass> reachedFrom(JavaClass start, Map<JavaClass, Set<JavaClass>> uses) {
    Set<JavaClass> reached = new HashSet<>();
    Deque<JavaClass> open = new ArrayDeque<>(uses.get(start));
    while (!open.isEmpty()) {
      JavaClass next = open.remove();
      if (reached.add(next)) {
        open.addAll(uses.getOrDefault(next, Set.of()));
      }
    }
    return reached;
  }
}
