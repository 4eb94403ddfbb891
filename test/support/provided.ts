import type { TimeSkippingServer } from '../../local/time-skipping-server.ts';

/** What the global set-up hands to every test file; JSON, since it crosses processes. */
export interface Provided {
  readonly postgres: { readonly adminUrl: string; readonly template: string };
  readonly temporal:
    | { readonly ok: true; readonly address: string; readonly namespace: string }
    | { readonly ok: false; readonly reason: string };
  readonly virtualTime:
    | { readonly ok: true; readonly executable: NonNullable<TimeSkippingServer['server']['executable']> }
    | { readonly ok: false; readonly reason: string };
}

declare module 'vitest' {
  interface ProvidedContext extends Provided {}
}
