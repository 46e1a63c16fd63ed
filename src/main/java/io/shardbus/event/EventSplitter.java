package io.shardbus.event;

import io.vertx.core.buffer.Buffer;
import java.util.function.Consumer;

/** Cuts input that comes in chunks into events. Not safe for threads. */
public interface EventSplitter {

  /**
   * Takes a chunk.
   *
   * @param chunk the next bytes; they must not be changed afterwards
   * @param event given the bytes of each event that is complete
   * @throws LineSplitter.LineTooLongException if an event is longer than allowed; the splitter
   *     cannot go on
   * @throws InvalidEventException if the input does not have the form that the splitter knows; it
   *     cannot go on
   */
  void feed(Buffer chunk, Consumer<Buffer> event);

  /**
   * Takes the end of the input.
   *
   * @param event given the last event, if there is one that the end completes
   * @throws InvalidEventException if the input must not end here
   */
  void end(Consumer<Buffer> event);

  /** {@return the number of the event that was given last, from 1} */
  long line();

  /** {@return the memory that an unfinished event takes, in bytes; 0 if there is none} */
  int partialBytes();
}
