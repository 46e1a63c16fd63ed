package io.shardbus.junit5;

import io.vertx.core.Vertx;
import io.vertx.junit5.ParameterClosingConsumer;
import io.vertx.junit5.VertxExtension;
import io.vertx.junit5.VertxExtensionParameterProvider;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;

/** Gives tests with {@code VertxExtension} their parameters of type {@link TestBus}. */
public final class TestBusProvider implements VertxExtensionParameterProvider<TestBus> {

  /** For the service loader. */
  public TestBusProvider() {}

  @Override
  public Class<TestBus> type() {
    return TestBus.class;
  }

  @Override
  public String key() {
    return TestBus.class.getName();
  }

  @Override
  public TestBus newInstance(ExtensionContext test, ParameterContext parameter) {
    Supplier<?> vertx =
        test.getStore(ExtensionContext.Namespace.GLOBAL)
            .get(VertxExtension.VERTX_INSTANCE_KEY, Supplier.class);
    if (vertx == null) {
      String method = parameter.getDeclaringExecutable().getName();
      throw new ParameterResolutionException(
          method
              + ": the parameter of type TestBus needs one of type Vertx before it, as in "
              + method
              + "(Vertx vertx, TestBus test)");
    }
    return TestBus.start((Vertx) vertx.get()).await();
  }

  @Override
  public ParameterClosingConsumer<TestBus> parameterClosingConsumer() {
    return test -> test.close().await();
  }
}
