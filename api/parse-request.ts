import { z } from 'zod';
import { AppError, type Problem } from '../domain/app-error.ts';

/**
 * What a schema takes of a value. Of a refused value these are the fields and elements that the schema takes by themselves:
 * rules beyond the schema judge them, so that one answer names every problem of a request.
 */
export type Sound<Schema> =
  Schema extends z.ZodOptional<infer Inner>
    ? Sound<Inner> | undefined
    : Schema extends z.ZodNullable<infer Inner>
      ? Sound<Inner> | null
      : Schema extends z.ZodArray<infer Element>
        ? Sound<Element>[]
        : Schema extends z.ZodObject<infer Shape>
          ? { [Field in keyof Shape]?: Sound<Shape[Field]> }
          : z.output<Schema> | undefined;

interface Parsed<Schema> {
  /** All of it; undefined where the schema refuses the value. */
  whole: z.output<Schema>;
  sound: Sound<Schema>;
  issues: readonly z.core.$ZodIssue[];
}

/** Parses query and body once, each by its schema, and names what the schemas refuse. */
export function parseRequest<Query extends z.ZodType, Body extends z.ZodType>(
  schemas: { query?: Query; body?: Body },
  raw: { query: unknown; body: unknown },
): { query: Parsed<Query>; body: Parsed<Body>; problems: Problem[] } {
  const query = parse(schemas.query, raw.query);
  const body = parse(schemas.body, raw.body);
  const problems = [
    ...query.issues.flatMap((issue) => toProblems(issue, raw.query)),
    ...body.issues.flatMap((issue) => toProblems(issue, raw.body)),
  ];
  return { query, body, problems };
}

/** So many problems a person may mend at once; a request that was made to be wrong everywhere is not answered in megabytes. */
const MAX_PROBLEMS = 50;
const MAX_PROBLEM_BYTES = 15_000;
const MAX_PATH_CHARACTERS = 200;
const MAX_MESSAGE_CHARACTERS = 2_000;

/** One refusal that names every problem, each place with the same message once; of very many, the first and how many more. */
export function badRequest(problems: readonly Problem[]): AppError {
  const all = [...new Map(problems.map((problem) => [`${problem.path}\n${problem.message}`, problem])).values()];
  const told = firstOf(all);
  const sentences = told.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  if (told.length < all.length) sentences.push(`and ${all.length - told.length} more`);
  return new AppError('bad-request', sentences.join('; '), { problems: told });
}

/** Those that an answer has room for, at least one. */
function firstOf(problems: readonly Problem[]): Problem[] {
  const told: Problem[] = [];
  let bytes = 0;
  for (const { path, message } of problems.slice(0, MAX_PROBLEMS)) {
    const problem = { path: path.slice(0, MAX_PATH_CHARACTERS), message: message.slice(0, MAX_MESSAGE_CHARACTERS) };
    bytes += Buffer.byteLength(JSON.stringify(problem));
    if (bytes > MAX_PROBLEM_BYTES && told.length > 0) break;
    told.push(problem);
  }
  return told;
}

function parse<Schema extends z.ZodType>(schema: Schema | undefined, value: unknown): Parsed<Schema> {
  const parsed = schema?.safeParse(value);
  const whole = parsed?.data as z.output<Schema>;
  if (schema === undefined || parsed?.success) return { whole, sound: whole as Sound<Schema>, issues: [] };
  return { whole, sound: soundPart(schema, value) as Sound<Schema>, issues: parsed?.error.issues ?? [] };
}

/**
 * Elements of a list keep their places, so that their problems are named where they were sent. A list is judged no further than
 * it may be long.
 */
function soundPart(schema: z.core.$ZodType, value: unknown): unknown {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return soundPart(schema.unwrap(), value);
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    return value.slice(0, maxLengthOf(schema)).map((one) => soundPart(schema.element, one));
  }
  if (!(schema instanceof z.ZodObject)) return undefined;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const sent = new Map(Object.entries(isObject ? value : {}));
  const fields = Object.entries(schema.shape).map(([name, field]) => [name, soundPart(field, sent.get(name))] as const);
  return Object.fromEntries(fields.filter(([, field]) => field !== undefined));
}

function maxLengthOf(schema: z.ZodArray): number {
  const limits = (schema.def.checks ?? []).flatMap(({ _zod: { def } }) =>
    def.check === 'max_length' ? [(def as z.core.$ZodCheckMaxLengthDef).maximum] : [],
  );
  return Math.min(...limits);
}

function toProblems(issue: z.core.$ZodIssue, raw: unknown): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'is not a field here' }));
  }
  if (issue.code === 'invalid_type' && path.length === 0) {
    return [{ path: '', message: 'A JSON body is needed, with Content-Type: application/json.' }];
  }
  return [{ path: path.join('.'), message: isAbsent(raw, path) ? 'is needed' : issue.message }];
}

/** Whether nothing was sent there. */
function isAbsent(raw: unknown, path: readonly string[]): boolean {
  let value = raw;
  for (const name of path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  }
  return value === undefined;
}
