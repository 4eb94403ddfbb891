/** One place of a source: what is there, and what is put there instead. */
export interface Edit {
  file: string;
  /** Occurs once in that file. */
  find: string;
  replace: string;
}

/** A fault that Defib once had, or might have: where several things prevent a wrong action, it undoes all of them. */
export interface PlantedBug {
  name: string;
  edits: readonly Edit[];
}

const one = (name: string, file: string, find: string, replace: string): PlantedBug => ({
  name,
  edits: [{ file, find, replace }],
});

const CARRY_OUT = 'activities/heal/carry-out.ts';
const DECIDE = 'activities/heal/decide.ts';
const NEWS = 'activities/news.ts';
const FENCE = 'domain/fence.ts';
const SENDING = 'db/heals/sending.ts';
const VM_HEALTH = 'workflows/vm-health.ts';

const NOT_CONFIRMED =
  'if (sentForMs === null || sentForMs > SEND_WITHIN_MS || performance.now() - requestedAtMs > SEND_WITHIN_MS) {';
const TOO_OLD = 'if (ageMs < 0 || ageMs > MAX_FACTS_AGE_MS) return';

/** Each is to be found by the simulator. */
export const PLANTED: readonly PlantedBug[] = [
  {
    name: 'sends although it lost the swap',
    edits: [
      {
        file: SENDING,
        find: "return sent === null ? { kind: 'overtaken' } : { kind: 'moved' };",
        replace: "return { kind: 'moved' };",
      },
      {
        file: SENDING,
        find: "return changed === null ? { kind: 'overtaken' } : { kind: 'unwanted', why };",
        replace: "return changed === null ? { kind: 'moved' } : { kind: 'unwanted', why };",
      },
      { file: CARRY_OUT, find: NOT_CONFIRMED, replace: 'if (false) {' },
    ],
  },
  {
    name: 'news only at edges',
    edits: [
      { file: NEWS, find: 'return async ({ vm, results },', replace: 'return async ({ vm, results, folded },' },
      {
        file: NEWS,
        find: 'const healWanted = !healOpen &&',
        replace: 'const healWanted = folded.transition !== null && !healOpen &&',
      },
      { file: NEWS, find: 'health.transitionSeq === deliveredSeq &&', replace: 'folded.transition === null &&' },
    ],
  },
  one('sends on old facts', FENCE, TOO_OLD, 'if (ageMs < -MAX_FACTS_AGE_MS) return'),
  one(
    'withdraws instead of going on',
    DECIDE,
    'if (unfinished && (isFor(unfinished, decided.decision) ||',
    'if (unfinished && (',
  ),
  one('decides for a closed incident', DECIDE, '!open || open.closedAt !== null', '!open'),
  one('fails without its history', DECIDE, 'if (away === null) throw error;', 'if (away !== null) throw error;'),
  one(
    'a new run forgets close watching',
    VM_HEALTH,
    'return { ...named, vmId, tenantId, site, carried };',
    'return { ...named, vmId, tenantId, site, carried: { ...carried, watchCloselyUntilMs: null } };',
  ),
  one(
    'a new run forgets a look asked for',
    VM_HEALTH,
    'return { ...named, vmId, tenantId, site, carried };',
    'return { ...named, vmId, tenantId, site, carried: { ...carried, lookNow: false } };',
  ),
  one(
    'a new run forgets its description',
    VM_HEALTH,
    'return { ...named, vmId, tenantId, site, carried };',
    'return { ...named, vmId, tenantId, site, carried: { ...carried, described: null } };',
  ),
  one(
    'a look that was cancelled while it ran counts as failed',
    'workflows/polled-activity.ts',
    'error.retryState === RetryState.CANCEL_REQUESTED',
    'error.retryState === RetryState.UNSPECIFIED',
  ),
  one(
    'a lost heal leaves its operations open',
    'activities/reconcile.ts',
    '  await settleOperations(deps, vmId, incident);',
    '',
  ),
  {
    name: 'a paused VM opens a heal',
    edits: [
      {
        file: VM_HEALTH,
        find: 'const mayHeal = !flags.retired && carried.paused === null;',
        replace: 'const mayHeal = true;',
      },
      { file: 'db/heals/incidents.ts', find: 'if (vm.pausedAt !== null) return null;', replace: '' },
    ],
  },
  one(
    'a heal is not told of the end of a pause',
    VM_HEALTH,
    "if (pauseChanged) await notifyHeal(vm, carried.paused === null ? 'resumed' : 'paused');",
    '',
  ),
  one(
    'a pause that was signalled is not stored',
    'activities/store-pause.ts',
    'await recordPaused(database, vmId, reason, author)',
    'null',
  ),
  {
    name: 'acts on a paused VM',
    edits: [
      { file: FENCE, find: "if (now.paused) return 'the VM was paused';", replace: '' },
      {
        file: FENCE,
        find: "if (now.settingsVersion !== fence.settingsVersion) return 'the settings of the VM were changed';",
        replace: '',
      },
      {
        file: 'domain/guards/paused.ts',
        find: 'if (facts.paused === null) return null;',
        replace: 'if (facts.paused !== undefined) return null;',
      },
    ],
  },
  one('wakes too late and sends', CARRY_OUT, NOT_CONFIRMED, 'if (false) {'),
  one(
    'sends after a healthy look',
    FENCE,
    "if (better !== undefined) return 'a check that counted has passed since';",
    '',
  ),
  one(
    'an operation in doubt counts as done',
    'activities/heal/resolve-operation.ts',
    'return notSent(`read back at the hypervisor: ${readBack.detail}`);',
    'return carriedOut(operation, readBack.detail);',
  ),
  one(
    'a check that never succeeded is evidence',
    'domain/evidence.ts',
    'return provenAtMs !== null || trusted;',
    'return provenAtMs !== undefined || trusted;',
  ),
  one(
    'a paused VM is reset',
    'domain/choose-remedy.ts',
    "    case 'paused':\n    case 'storage-failed':",
    "    case 'storage-failed':",
  ),
  one(
    'failures from before a start count',
    'db/fleet/vm-changes.ts',
    'if (starts) await recordStarted(tx, vm.vmId, await databaseNow(tx));',
    'if (starts) await databaseNow(tx);',
  ),
  one(
    'a VM is looked at every third minute',
    'domain/look.ts',
    '  return msToNextTick(\n',
    '  return 120_000 + msToNextTick(\n',
  ),
  one(
    'a hung VM is looked at every second tick',
    'domain/look.ts',
    'if (planLook(vm, { ...mode, now: false }, nowMs).length > 0) return 1;',
    '',
  ),
  {
    name: 'a lost VM stays behind a full page',
    edits: [
      { file: 'db/pages.ts', find: 'const PAGE = 500;', replace: 'const PAGE = 1;' },
      {
        file: 'db/upkeep/disagreements.ts',
        find: 'AND ($3::uuid IS NULL OR v.id > $3) ORDER BY v.id LIMIT $4`',
        replace: 'AND $3::uuid IS NULL ORDER BY v.id LIMIT $4`',
      },
    ],
  },
  one(
    'looks over and over without Postgres',
    'activities/look/look.ts',
    'return { ...stored, vm: seenUntil(stored.vm, stored.unstored, deps.now()), results };',
    'return { ...stored, results };',
  ),
];
