/** A column's instant as epoch ms, in SQL. */
export function asMs(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8`;
}

/** A column's instant as ISO 8601 in UTC, in SQL. */
export function asIso(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
