/** The pattern of texts that hold this one: a parameter of `vmMatches`. */
export function holding(part: string): string {
  return `%${part.replaceAll(/[\\%_]/g, '\\$&')}%`;
}

/** Whether the name, address or externalId of v (vms) is like `pattern`, a parameter in SQL, in any case. */
export function vmMatches(pattern: string): string {
  return `(v.name ILIKE ${pattern} OR v.address ILIKE ${pattern} OR v.external_id ILIKE ${pattern})`;
}
