import { expect, it } from 'vitest';
import {
  CORE_TASK_QUEUE,
  healWorkflowId,
  isUuid,
  operationId,
  siteTaskQueue,
  vmIdOfWorkflow,
  vmWorkflowId,
} from '../../domain/ids.ts';

const VM = '01a20f33-e956-70de-8e62-b56602b68652';

it('ids are what people type into the temporal CLI, the same in every version', () => {
  expect(vmWorkflowId(VM)).toBe(`vm/${VM}`);
  expect(healWorkflowId(VM, 3)).toBe(`heal/${VM}/3`);
  expect(operationId(VM, 3, 'restart', 2)).toBe(`${VM}/3/restart/2`);
  expect([CORE_TASK_QUEUE, siteTaskQueue('berlin')]).toEqual(['defib-core', 'defib-berlin']);
});

it.each([VM, VM.toUpperCase()])('%s is a UUID', (text) => {
  expect(isUuid(text)).toBe(true);
});

it.each([
  '',
  VM.replaceAll('-', ''),
  `${VM}0`,
  `0${VM}`,
  VM.slice(1),
  ...[8, 4, 12].map((length) => 'g'.repeat(length)),
  ...VM.split('-').flatMap((part) => [VM.replace(part, part.slice(1)), VM.replace(part, 'g'.repeat(part.length))]),
])('%j is no UUID', (text) => {
  expect(isUuid(text)).toBe(false);
});

it('a workflow watches the VM in its id, and no other workflow watches one', () => {
  expect(vmIdOfWorkflow(`vm/${VM}`)).toBe(VM);
  for (const id of [`heal/${VM}/1`, VM, `at/${VM}`, `${VM}vm/`, 'vm/', 'vm/one', `vm/vm/${VM}`, 'reconcile']) {
    expect(vmIdOfWorkflow(id)).toBeNull();
  }
});
