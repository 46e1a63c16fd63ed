package io.shardbus.testing;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file system that can be filled to its last byte, where the machine lets us mount one. */
public final class SmallDisk implements AutoCloseable {

  private final Path folder;
  private final boolean mounted;

  private SmallDisk(Path folder, boolean mounted) {
    this.folder = folder;
    this.mounted = mounted;
  }

  /** Mounts one on a folder, which it makes; where it cannot, that is an ordinary folder. */
  public static SmallDisk mount(Path folder, String size) throws IOException {
    Files.createDirectory(folder);
    String options = "mode=0700,size=" + size;
    int status = run("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder.toString());
    return new SmallDisk(folder, status == 0);
  }

  /** Runs a command, whose output does not matter, and says how it ended. */
  public static int run(String... command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getInputStream().readAllBytes();
    return process.onExit().join().exitValue();
  }

  public boolean mounted() {
    return mounted;
  }

  private Path ballast() {
    return folder.resolve("ballast");
  }

  /** Leaves not a byte. Does nothing in an ordinary folder. */
  public void fill() throws IOException {
    if (!mounted) {
      return;
    }
    for (int size : new int[] {1 << 20, 4096, 1}) {
      try (OutputStream out = Files.newOutputStream(ballast(), CREATE, APPEND)) {
        while (true) {
          out.write(new byte[size]);
        }
      } catch (IOException e) {
        assertThat(e).hasMessageContaining("No space left");
      }
    }
  }

  /** Takes some of the room. */
  public void take(int bytes) throws IOException {
    Files.write(ballast(), new byte[bytes]);
  }

  /** Gives back what was taken. */
  public void free() throws IOException {
    Files.deleteIfExists(ballast());
  }

  @Override
  public void close() throws IOException {
    if (mounted) {
      run("umount", "-l", folder.toString());
    }
  }
}
