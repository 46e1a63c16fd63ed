package io.shardbus.shard;

import java.io.IOException;
import java.io.InputStream;
import java.util.BitSet;
import java.util.Set;
import java.util.function.BiConsumer;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Loads the classes of a package again, with a call of {@link Seam#hit} at each instruction that
 * makes an object, so that memory can run out at each of them in turn.
 */
public final class AllocationFaults extends ClassLoader {

  /** What makes objects in the collections of the JDK. */
  private static final Set<String> MAKERS =
      Set.of(
          "add",
          "addAll",
          "copyOf",
          "copyOfRange",
          "clone",
          "computeIfAbsent",
          "forEach",
          "iterator",
          "merge",
          "of",
          "put",
          "putAll",
          "putIfAbsent",
          "stream",
          "toArray",
          "toList");

  private final String instrumented;
  private int places;

  /**
   * @param instrumented what the names of the classes begin with
   */
  public AllocationFaults(String instrumented) {
    super(AllocationFaults.class.getClassLoader());
    this.instrumented = instrumented;
  }

  /**
   * Loads a class of rounds, so that it sees the classes that run out of memory. A round is told
   * what to do, and the place and time for {@link Seam#begin}.
   */
  @SuppressWarnings("unchecked")
  public BiConsumer<String, int[]> rounds(Class<?> type, Object... arguments) throws Exception {
    var constructor = loadClass(type.getName()).getDeclaredConstructors()[0];
    constructor.setAccessible(true);
    return (BiConsumer<String, int[]>) constructor.newInstance(arguments);
  }

  /**
   * The places where memory may run out, by number. Public, since classes of another loader call
   * it.
   */
  public static final class Seam {

    private static final BitSet SEEN = new BitSet();
    private static boolean watching;
    private static int place;
    private static int left;

    private Seam() {}

    /**
     * Watches the places that are passed from now on.
     *
     * @param failAt where memory runs out, once; -1 for nowhere
     * @param time the how manieth time that this place is passed
     */
    public static synchronized void begin(int failAt, int time) {
      SEEN.clear();
      place = failAt;
      left = time;
      watching = true;
    }

    /** Memory is there again. Returns the places that were passed. */
    public static synchronized BitSet end() {
      watching = false;
      return (BitSet) SEEN.clone();
    }

    public static synchronized void hit(int number) {
      if (watching) {
        SEEN.set(number);
        if (number == place && --left == 0) {
          throw new OutOfMemoryError("injected");
        }
      }
    }
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!name.startsWith(instrumented) || name.startsWith(AllocationFaults.class.getName())) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      return loaded != null ? loaded : define(name);
    }
  }

  private Class<?> define(String name) throws ClassNotFoundException {
    String file = name.replace('.', '/') + ".class";
    try (InputStream in = getParent().getResourceAsStream(file)) {
      if (in == null) {
        throw new ClassNotFoundException(name);
      }
      ClassReader reader = new ClassReader(in.readAllBytes());
      ClassWriter writer = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
      boolean test = name.contains("Test");
      reader.accept(test ? writer : new Instrumented(writer), 0);
      byte[] code = writer.toByteArray();
      return defineClass(name, code, 0, code.length);
    } catch (IOException e) {
      throw new ClassNotFoundException(name, e);
    }
  }

  private final class Instrumented extends ClassVisitor {

    Instrumented(ClassVisitor next) {
      super(Opcodes.ASM9, next);
    }

    @Override
    public MethodVisitor visitMethod(
        int access, String name, String descriptor, String signature, String[] exceptions) {
      MethodVisitor next = super.visitMethod(access, name, descriptor, signature, exceptions);
      return new MethodVisitor(Opcodes.ASM9, next) {

        private void hit() {
          super.visitLdcInsn(places++);
          String seam = Seam.class.getName().replace('.', '/');
          super.visitMethodInsn(Opcodes.INVOKESTATIC, seam, "hit", "(I)V", false);
        }

        @Override
        public void visitTypeInsn(int opcode, String type) {
          if (opcode == Opcodes.ANEWARRAY) {
            hit();
          }
          super.visitTypeInsn(opcode, type);
          if (opcode == Opcodes.NEW) { // not before: the verifier knows the object by its place
            hit();
          }
        }

        @Override
        public void visitIntInsn(int opcode, int operand) {
          if (opcode == Opcodes.NEWARRAY) {
            hit();
          }
          super.visitIntInsn(opcode, operand);
        }

        @Override
        public void visitInvokeDynamicInsn(
            String method, String type, org.objectweb.asm.Handle bootstrap, Object... arguments) {
          hit();
          super.visitInvokeDynamicInsn(method, type, bootstrap, arguments);
        }

        @Override
        public void visitMethodInsn(
            int opcode, String owner, String method, String type, boolean ofInterface) {
          if (owner.startsWith("java/util/") && MAKERS.contains(method)) {
            hit();
          }
          super.visitMethodInsn(opcode, owner, method, type, ofInterface);
        }
      };
    }
  }
}
