package io.shardbus.event;

import java.time.Duration;

/**
 * A store that recognises events by their ids, whichever bus writes them.
 *
 * @param name the same for all buses that write to the store, and for no other store
 * @param window for how long the store recognises an id after it stored the event
 */
public record IdStore(String name, Duration window) {}
