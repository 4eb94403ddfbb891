import type { JsonValue } from './json-value.ts';

/** A VM as its provider names it. What else stands beside `kind` is the provider's business; validated when it was stored. */
export interface ProviderReference {
  kind: string;
  [field: string]: JsonValue;
}
