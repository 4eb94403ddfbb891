import { z } from 'zod';

/** RFC 9457, with every problem in `errors` and the message again in `error`. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  error: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })),
  instance: z.string(),
  requestId: z.string(),
});
