import type { z } from 'zod';
import { AppError, type Problem } from '../domain/app-error.ts';

/**
 * Validates query and body against an endpoint's schemas and its own inspection, all of them before any is answered.
 * @throws AppError `bad-request` with every problem.
 */
export async function parseRequest<Query extends z.ZodType, Body extends z.ZodType>(
  schemas: { query?: Query; body?: Body },
  raw: { query: unknown; body: unknown },
  inspect: () => Promise<readonly Problem[]> | readonly Problem[],
): Promise<{ query: z.output<Query>; body: z.output<Body> }> {
  const problems: Problem[] = [];
  const query = parse(schemas.query, raw.query, problems);
  const body = parse(schemas.body, raw.body, problems);
  problems.push(...(await inspect()));
  if (problems.length > 0) throw badRequest(problems);
  return { query, body };
}

/** One refusal that names every problem, each place with the same message once. */
export function badRequest(problems: readonly Problem[]): AppError {
  const once = [...new Map(problems.map((problem) => [`${problem.path}\n${problem.message}`, problem])).values()];
  const told = once.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  return new AppError('bad-request', told.join('; '), { problems: once });
}

function parse<Schema extends z.ZodType>(
  schema: Schema | undefined,
  value: unknown,
  problems: Problem[],
): z.output<Schema> {
  if (schema === undefined) return undefined as z.output<Schema>;
  const parsed = schema.safeParse(value);
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap(toProblems));
  return parsed.data as z.output<Schema>;
}

function toProblems(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'is not a field here' }));
  }
  if (issue.code === 'invalid_type' && issue.input === undefined && issue.path.length === 0) {
    return [{ path: '', message: 'A JSON body is needed, with Content-Type: application/json.' }];
  }
  return [{ path: path.join('.'), message: issue.message }];
}
