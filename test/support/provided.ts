/** What the global set-up hands to every test file; JSON, since it crosses processes. */
export interface Provided {
  readonly postgres: { readonly adminUrl: string; readonly template: string };
  readonly temporal:
    | { readonly ok: true; readonly address: string; readonly namespace: string }
    | { readonly ok: false; readonly reason: string };
  /** The program of the test server with virtual time. */
  readonly virtualTime: { readonly ok: true; readonly path: string } | { readonly ok: false; readonly reason: string };
}

/** Which plays of the simulation: `count` seeds from `seed` on, each of so many hours with faults and so many VMs. */
export interface CampaignOptions {
  seed: number;
  count: number;
  hours: number;
  vms: number;
  /** A file with one plan, to be played instead. */
  plan?: string;
  /** Ends with the first play that fails. */
  untilFirst?: boolean;
  /** Where its result is left, as JSON. */
  output?: string;
}

declare module 'vitest' {
  interface ProvidedContext extends Provided {
    /** Of test/simulation/main.ts only. */
    readonly campaign: CampaignOptions;
  }
}
