type Activity = (...args: never[]) => Promise<unknown>;

/** Names of the fields that hold an answer's sentence. */
const SENTENCES = ['line', 'detail'] as const;

/**
 * Makes answers begin with their sentence, where they have one: of a long answer, the event list of Temporal's Web UI shows the
 * beginning.
 */
export function withSentencesFirst<T extends object>(activities: T): T {
  const wrapped = Object.entries(activities as Record<string, Activity>).map(([name, activity]) => [
    name,
    async (...args: never[]) => sentenceFirst(await activity(...args)),
  ]);
  return Object.fromEntries(wrapped) as T;
}

function sentenceFirst(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return answer;
  const named: Readonly<Record<string, unknown>> = { ...answer };
  const first = SENTENCES.filter((name) => typeof named[name] === 'string').map((name) => [name, named[name]]);
  return { ...Object.fromEntries(first), ...answer };
}
