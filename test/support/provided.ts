/** What the global set-up hands to every test file; JSON, since it crosses processes. */
export interface Provided {
  readonly postgres: { readonly adminUrl: string; readonly template: string };
  readonly temporal:
    | { readonly ok: true; readonly address: string; readonly namespace: string }
    | { readonly ok: false; readonly reason: string };
  /** The program of the test server with virtual time. */
  readonly virtualTime: { readonly ok: true; readonly path: string } | { readonly ok: false; readonly reason: string };
}

declare module 'vitest' {
  interface ProvidedContext extends Provided {}
}
