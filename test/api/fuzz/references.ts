import fc from 'fast-check';

/** What a tenant has that requests may name. */
export const KINDS = ['vm', 'externalId', 'policy', 'token', 'provider', 'tenant', 'check', 'mark'] as const;
export type Kind = (typeof KINDS)[number];

/**
 * Stands in a generated request for the id of a thing, which is known only when it is sent: `⟦own vm 3⟧`. So the same seed
 * makes the same requests, whatever ids the server gives.
 */
export function reference(whose: 'own' | 'other', kind: Kind): fc.Arbitrary<string> {
  return fc.nat(50).map((index) => `⟦${whose} ${kind} ${index}⟧`);
}

/** The same inside a cursor, of which only the whole can be encoded. */
export function cursorOf(place: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  return place.map((keys) => `⟦cursor ${JSON.stringify(keys)}⟧`);
}

/** Whether a text names a thing of the other tenant. */
export function namesOther(text: string): boolean {
  return text.includes('⟦other ');
}

/** What stands for things is found when a request is sent. */
export interface World {
  find: (whose: 'own' | 'other', kind: Kind, index: number) => string;
  sockets: string;
  nowMs: number;
}

/** A text with the things in place of what stands for them. */
export function resolve(text: string, { find, sockets, nowMs }: World): string {
  const named = text.replaceAll(/⟦(own|other) (\w+) (\d+)⟧/g, (_, whose, kind, index) =>
    find(whose as 'own' | 'other', kind as Kind, Number(index)),
  );
  const timed = named.replaceAll(/⟦ago (\d+)⟧/g, (_, minutes) =>
    new Date(nowMs - Number(minutes) * 60_000).toISOString(),
  );
  return timed
    .replaceAll('⟦sockets⟧', sockets)
    .replaceAll(/⟦cursor (.*?)⟧/gs, (_, keys) => Buffer.from(keys).toString('base64url'));
}
