package io.shardbus.sink.jetstream;

import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import java.io.IOException;
import java.util.List;

/*
 * Makes the stream if it is missing. A stream that is there is left as its owner made it.
 */
final class StreamSetup {

  private static final int STREAM_NOT_FOUND = 10059;

  private StreamSetup() {}

  static void ensure(JetStreamServer server, JetStreamSinkOptions options)
      throws IOException, JetStreamApiException {
    JetStreamManagement management = server.link().management();
    String subjects = options.getSubjectPrefix() + ".>";
    List<String> taken;
    try {
      taken = management.getStreamInfo(options.getStream()).getConfiguration().getSubjects();
    } catch (JetStreamApiException e) {
      if (e.getApiErrorCode() != STREAM_NOT_FOUND) {
        throw e;
      }
      management.addStream(configuration(options, subjects));
      return;
    }
    if (!taken.contains(subjects)) {
      throw server.failure(
          "stream " + options.getStream() + " takes the subjects " + taken + ", not " + subjects);
    }
  }

  private static StreamConfiguration configuration(JetStreamSinkOptions options, String subjects) {
    return StreamConfiguration.builder()
        .name(options.getStream())
        .subjects(subjects)
        .storageType(StorageType.File)
        .replicas(options.getReplicas())
        .maxAge(options.getMaxAge())
        .maxBytes(options.getMaxBytes() == 0 ? -1 : options.getMaxBytes())
        .duplicateWindow(options.getDuplicateWindow())
        .build();
  }
}
