const INSTANT = /^(at|since|until)Ms$|(At|Since|Until)Ms$/;

/**
 * Stored JSON as answers carry it: each field that holds an instant in epoch ms, such as `lastLookAtMs`, becomes `lastLookAt` in
 * ISO 8601. Durations, such as `verifyMs`, stay.
 */
export function withIsoTimes<Value>(value: Value): Value {
  return converted(value) as Value;
}

function converted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(converted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, held]) => {
      if (!INSTANT.test(name) || (typeof held !== 'number' && held !== null)) return [name, converted(held)];
      return [name.slice(0, -'Ms'.length), held === null ? null : new Date(held).toISOString()];
    }),
  );
}
