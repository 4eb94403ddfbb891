import { Connection, type ConnectionOptions, isGrpcServiceError, ServiceError } from '@temporalio/client';
import { NativeConnection, type NativeConnectionOptions, type TLSConfig } from '@temporalio/worker';
import { RECONNECT } from '../temporal/reconnect.ts';
import type { Connections } from './connections.ts';
import { firstLineOf, StartError } from './start-error.ts';
import type { TemporalTls } from './temporal-access.ts';
import { whyUnreachable } from './temporal-probe.ts';

/** A Temporal server and a namespace of it, and how to get in. */
export type TemporalServer = Pick<Connections, 'temporalAddress' | 'temporalAccess' | 'namespace'>;

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

/** A client's connection, made when it is first needed and again whenever it is lost. */
export function lazyConnection(server: TemporalServer): Connection {
  return Connection.lazy(clientOptions(server));
}

/**
 * A client's connection to a server that serves the namespace; waits some seconds for one that is starting.
 * @throws StartError in one line, without secrets.
 */
export async function connectClient(server: TemporalServer, connectTimeoutMs = 10_000): Promise<Connection> {
  // the client itself would try on for all of its time
  const refused = await whyUnreachable(server.temporalAddress, server.temporalAccess?.tls);
  if (refused?.isFinal) throw cannotBeUsed(server, refused.reason);
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ ...clientOptions(server), connectTimeout: connectTimeoutMs });
    await connection.workflowService.describeNamespace({ namespace: server.namespace });
    return connection;
  } catch (cause) {
    await connection?.close();
    throw cannotBeUsed(server, await reasonOf(cause, server), cause);
  }
}

/** A worker's connection. @throws StartError in one line, without secrets. */
export async function connectNative(server: TemporalServer): Promise<NativeConnection> {
  const options: NativeConnectionOptions = { ...accessOptions(server), grpcCompression: { codec: 'none' } };
  return NativeConnection.connect(options).catch(async (cause: unknown) => {
    throw cannotBeUsed(server, await reasonOf(cause, server), cause);
  });
}

/** Asks whether it can be used. @throws StartError as `connectClient`. */
export async function requireTemporal(server: TemporalServer): Promise<void> {
  const connection = await connectClient(server, 5_000);
  await connection.close();
}

function clientOptions(server: TemporalServer): ConnectionOptions {
  return { ...accessOptions(server), channelArgs: RECONNECT };
}

function accessOptions({ temporalAddress, temporalAccess = {} }: TemporalServer) {
  const { tls, apiKey, metadata } = temporalAccess;
  return {
    address: temporalAddress,
    // without it, an API key alone would ask for TLS
    tls: tls === undefined ? false : tlsConfig(tls),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(metadata === undefined ? {} : { metadata: { ...metadata } }),
  };
}

function tlsConfig({ serverName, ca, cert, key }: TemporalTls): TLSConfig {
  return {
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
    ...(ca === undefined ? {} : { serverRootCACertificate: Buffer.from(ca) }),
    ...(cert === undefined || key === undefined
      ? {}
      : { clientCertPair: { crt: Buffer.from(cert), key: Buffer.from(key) } }),
  };
}

/** Why the server answered that it serves no such namespace, or not us; null: the error says neither. */
export function refusalOf(error: unknown, { namespace }: TemporalServer): string | null {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause)) return null;
  if (cause.code === NOT_FOUND) {
    return `it has no namespace "${namespace}": temporal operator namespace create -n ${namespace}`;
  }
  if (cause.code !== PERMISSION_DENIED && cause.code !== UNAUTHENTICATED) return null;
  return `it refuses the requests (${cause.details}); check TEMPORAL_NAMESPACE, and TEMPORAL_API_KEY or the certificate`;
}

async function reasonOf(error: unknown, server: TemporalServer): Promise<string> {
  const refusal = refusalOf(error, server);
  if (refusal !== null) return refusal;
  const unreachable = await whyUnreachable(server.temporalAddress, server.temporalAccess?.tls);
  return unreachable?.reason ?? firstLineOf(error);
}

function cannotBeUsed({ temporalAddress }: TemporalServer, reason: string, cause?: unknown): StartError {
  return new StartError(`The Temporal at ${temporalAddress} can't be used: ${reason}.`, { cause });
}
