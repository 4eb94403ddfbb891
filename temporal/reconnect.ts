/**
 * How soon a lost connection is tried again, ms. gRPC's own limit is two minutes, for as long as nobody would notice that Temporal
 * is back: https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md
 */
export const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 500, 'grpc.max_reconnect_backoff_ms': 2_000 } as const;
