interface Entry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
export declare function missingFromLock(lock: {
  readonly packages: Readonly<Record<string, Entry>>;
}): { readonly path: string; readonly entry: object }[];
