import { spawnSync } from 'node:child_process';
import { describe, inject } from 'vitest';
import { findVmParts } from '../e2e/vm/parts.ts';
import './provided.ts';
import { namespaceCommand } from './small-disk/small-disk.ts';

export type Requirement = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * What a test may need beyond npm packages: `qemu` a bootable VM, `fping` the program, `virtual-time` Temporal's
 * test server, `temporal` a real Temporal server, `small-disk` the right to mount one for a process, `openssl` the program.
 */
export type RequirementName = 'qemu' | 'fping' | 'openssl' | 'virtual-time' | 'temporal' | 'small-disk';

/** Marks a reason in a title; local/skip-report.ts lists what follows it at the end of the run. */
const MARK = 'skipped because ';

/** Whether this machine has it, and if not, why not. */
export function requirement(name: RequirementName): Requirement {
  switch (name) {
    case 'qemu': {
      const found = findVmParts();
      return found.ok ? { ok: true } : { ok: false, reason: found.missing };
    }
    case 'fping':
      return spawnSync('fping', ['--version'], { stdio: 'ignore' }).status === 0
        ? { ok: true }
        : { ok: false, reason: 'fping is not on PATH (apt install fping)' };
    case 'openssl':
      return spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0
        ? { ok: true }
        : { ok: false, reason: 'openssl is not on PATH (apt install openssl)' };
    case 'virtual-time': {
      const provided = inject('virtualTime');
      return provided.ok ? { ok: true } : provided;
    }
    case 'temporal': {
      const provided = inject('temporal');
      return provided.ok ? { ok: true } : provided;
    }
    case 'small-disk': {
      const found = namespaceCommand();
      return found.ok ? { ok: true } : found;
    }
  }
}

/** The time-skipping server now and then loses a race that a real one wins (docs/design-notes.md): a fault fails twice. */
const VIRTUAL_TIME_RETRIES = 1;

/** A `describe` whose tests are reported as skipped, with the reasons in the title, when something is missing. */
export function describeNeeding(names: readonly RequirementName[], title: string, body: () => void): void {
  const reasons = names.map(requirement).flatMap((found) => (found.ok ? [] : [found.reason]));
  if (reasons.length === 0) describe(title, { retry: names.includes('virtual-time') ? VIRTUAL_TIME_RETRIES : 0 }, body);
  else describe.skip(`${title} [${MARK}${reasons.join('; ')}]`, body);
}
