/** What decisions need to know of a type of check. */
export interface CheckTraits {
  /**
   * Whether it is about the VM being alive, or about its load and upkeep. Only failures of the former trigger policies and are
   * evidence for a power action; the latter make a VM degraded at most.
   */
  readonly about: 'alive' | 'load';
  /** Whether its failures are evidence only beside those of another check: a silent agent may be a crashed agent. */
  readonly needsCorroboration: boolean;
}

/** The traits of a type of check. */
export type TraitsOf = (checkType: string) => CheckTraits;

/** Of a type that this version doesn't know: it starts no heal. */
export const TRAITS_OF_UNKNOWN_TYPE: CheckTraits = { about: 'load', needsCorroboration: true };
