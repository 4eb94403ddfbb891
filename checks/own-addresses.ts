import { networkInterfaces } from 'node:os';

/** Every address of this machine's interfaces, as they are now. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}
