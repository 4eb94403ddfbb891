/** An http check arrived then, and got 200 or, failing, 500. */
export interface Arrival {
  /** The end of the path: the VM's id, where it was known. */
  readonly label: string;
  readonly atMs: number;
  readonly ok: boolean;
}

export type FromTargets = { readonly port: number } | { readonly arrivals: readonly Arrival[] };

export interface ToTargets {
  readonly labels: readonly string[];
  readonly failing: boolean;
}
