package io.shardbus.bench;

/** All systems, next to each other. */
public class Throughput extends PipelineBenchmark {}
