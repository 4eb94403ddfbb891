interface Packages {
  readonly packages?: Readonly<
    Record<string, { readonly version?: string; readonly integrity?: string; readonly optional?: boolean } | undefined>
  >;
}
export declare const root: string;
export declare function bootstrap(): void;
export declare function whyInstall(lock: Packages | undefined, installed: Packages | undefined): string | undefined;
