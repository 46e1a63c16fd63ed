package io.shardbus.sink.jetstream;

import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.api.StreamInfo;
import io.shardbus.sink.SinkException;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/*
 * Creates the stream if it is missing. An existing stream stays as it is.
 */
final class StreamSetup {

  private static final Logger LOG = LoggerFactory.getLogger(StreamSetup.class);
  private static final int STREAM_NOT_FOUND = 10059;

  private StreamSetup() {}

  /**
   * @param failure makes the exception from the reason, if the stream takes other subjects
   * @return the stream that is there now
   */
  static StreamInfo ensure(
      JetStreamManagement management,
      JetStreamSinkOptions options,
      Function<String, SinkException> failure)
      throws IOException, JetStreamApiException {
    String subjects = options.getSubjectPrefix() + ".>";
    StreamInfo found;
    try {
      found = management.getStreamInfo(options.getStream());
    } catch (JetStreamApiException e) {
      if (e.getApiErrorCode() != STREAM_NOT_FOUND) {
        throw e;
      }
      LOG.info("stream " + options.getStream() + " is missing; it is created");
      return management.addStream(configuration(options, subjects));
    }
    List<String> taken = found.getConfiguration().getSubjects();
    if (!taken.contains(subjects)) {
      throw failure.apply(
          "stream %s takes the subjects %s, not %s"
              .formatted(options.getStream(), taken, subjects));
    }
    return found;
  }

  private static StreamConfiguration configuration(JetStreamSinkOptions options, String subjects) {
    return StreamConfiguration.builder()
        .name(options.getStream())
        .subjects(subjects)
        .storageType(StorageType.File)
        .replicas(options.getReplicas())
        .maxAge(options.getMaxAge())
        .maxBytes(options.getMaxBytes() == 0 ? -1 : options.getMaxBytes())
        .duplicateWindow(window(options))
        .build();
  }

  /** The server takes no longer one than the age of events. */
  private static Duration window(JetStreamSinkOptions options) {
    Duration window = options.getDuplicateWindow();
    Duration age = options.getMaxAge();
    return age.isZero() || age.compareTo(window) > 0 ? window : age;
  }

  /** A stream that others made, or an earlier version. Returns whether it was worth a warning. */
  static boolean warnIfShort(StreamConfiguration found, JetStreamSinkOptions options) {
    Duration window = found.getDuplicateWindow();
    boolean isShort = window != null && window.compareTo(window(options)) < 0;
    if (isShort) {
      LOG.warn(
          "stream "
              + options.getStream()
              + " recognises repeated ids for "
              + window.toMillis() / 1000.0
              + " s only, not for "
              + window(options).toMillis() / 1000.0
              + " s (duplicateWindow): one that comes again later is stored twice");
    }
    return isShort;
  }
}
