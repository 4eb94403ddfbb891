import { defaultPayloadConverter } from '@temporalio/common';

/** What is left of a value that passes through Temporal: what JSON keeps of it. */
export function converted<T>(value: T): T {
  return defaultPayloadConverter.fromPayload(defaultPayloadConverter.toPayload(value)) as T;
}
