export interface Skipped {
  readonly name: string;
  readonly reason: string;
}
export declare function summarize(report: unknown): {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skipped[];
  readonly line: string;
};
export declare function reasonsFor(skipped: readonly Skipped[]): string[];
