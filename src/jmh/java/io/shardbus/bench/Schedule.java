package io.shardbus.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * The order of runs. Systems run in small groups, together with those that all are compared with,
 * so that what is compared ran within half a minute. Who is in a group, and the order of groups and
 * in groups, are shuffled anew for each round: no system is always first, or always behind the same
 * one.
 */
final class Schedule {

  /** Systems that run one after the other. */
  record Group(Setting setting, List<Contender> systems) {}

  private static final Set<Contender> REFERENCES = EnumSet.of(Contender.BARE_RING, Contender.BUS);
  private static final int OTHERS_A_GROUP = 3;

  private final Random random;

  Schedule(long seed) {
    random = new Random(seed);
  }

  /** Every system at every setting once, the references more often. */
  List<Group> round(Collection<Contender> systems, Collection<Setting> settings) {
    List<Group> groups = new ArrayList<>();
    for (Setting setting : settings) {
      for (List<Contender> group : groups(systems)) {
        groups.add(new Group(setting, group));
      }
    }
    Collections.shuffle(groups, random);
    return groups;
  }

  private List<List<Contender>> groups(Collection<Contender> systems) {
    List<Contender> references = systems.stream().filter(REFERENCES::contains).toList();
    List<Contender> others = new ArrayList<>(systems);
    others.removeAll(references);
    Collections.shuffle(others, random);
    List<List<Contender>> groups = new ArrayList<>();
    int count = Math.max(1, (others.size() + OTHERS_A_GROUP - 1) / OTHERS_A_GROUP);
    for (int i = 0; i < count; i++) {
      groups.add(new ArrayList<>(references));
    }
    for (int i = 0; i < others.size(); i++) {
      groups.get(i % count).add(others.get(i));
    }
    groups.forEach(group -> Collections.shuffle(group, random));
    return groups;
  }
}
