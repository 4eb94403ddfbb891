import type { Probe, ProbeInput } from '../../../checks/check.ts';
import type { PowerAction } from '../../../domain/power.ts';
import type { ProbeResult } from '../../../domain/probe-result.ts';
import type { PowerOutcome, Provider, ProviderTrouble } from '../../../providers/provider.ts';
import type { Providers } from '../../../providers/providers.ts';
import { qemu } from '../../../providers/qemu/kind.ts';

/** How the hypervisor treats power commands. */
export type Manner =
  | 'well'
  | 'acts-then-drops'
  | 'drops-then-nothing'
  | 'refuses'
  | 'worker-dies-before'
  | 'worker-dies-after';

/** One VM and its hypervisor, as nasty as scripts want them. Time is the scenario's. */
export class FakeSite {
  hung = false;
  /** While hung it takes connections and answers nothing: a probe takes all the time that it has. */
  hangsSlowly = false;
  frozen = false;
  /** fping is gone from where the worker runs: pings can't tell. */
  fpingLost = false;
  /** Its certificate has run out: upkeep, which no reset mends. */
  expired = false;
  /** Hangs again by itself after every reset. */
  resetsHelp = true;
  bootMs = 8_000;
  /** Answers so many looks well, then so many badly, over and over; null = steadily. */
  flapping: { well: number; badly: number } | null = null;
  away = false;
  manner: Manner = 'well';
  readonly powerCommands: { atMs: number; action: PowerAction }[] = [];
  #bootedAtMs = 0;
  #looks = 0;
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor(now: () => number, sleep: (ms: number) => Promise<void>) {
    this.#now = now;
    this.#sleep = sleep;
  }

  readonly #provider: Provider = {
    register: async (reference) => ({ ok: true, reference, key: null }),
    test: async () => ({ ok: true, detail: 'fake' }),
    state: async () => {
      if (this.away) return AWAY;
      return { ok: true, state: { power: this.frozen ? 'paused' : 'running', detail: 'fake' } };
    },
    power: async (_reference, action) => this.#power(action),
  };

  /** Somebody starts it: it is up after its time to boot. */
  boot(): void {
    this.frozen = false;
    this.#bootedAtMs = this.#now() + this.bootMs;
  }

  readonly providers: Providers = {
    kinds: new Map([['qemu', qemu]]),
    reach: () => ({ ok: true, provider: this.#provider }),
  };

  readonly http: Probe = {
    about: 'alive',
    needsCorroboration: false,
    needs: [],
    probe: async (input) => {
      if (this.#answers(input)) return WELL;
      if (this.hung && this.hangsSlowly) await this.#sleep(input.timeoutMs);
      return TIMED_OUT;
    },
  };

  readonly ping: Probe = {
    about: 'alive',
    needsCorroboration: false,
    needs: [],
    // a hung VM's kernel goes on answering
    probe: async () => (this.fpingLost ? FPING_MISSING : this.#isUp() ? WELL : TIMED_OUT),
  };

  readonly certificate: Probe = {
    about: 'load',
    needsCorroboration: false,
    needs: [],
    probe: async () => (this.expired ? EXPIRED : WELL),
  };

  #answers({ target }: Pick<ProbeInput, 'target'>): boolean {
    // nothing listens there, however well the VM is
    if (target === MISTYPED) return false;
    this.#looks++;
    if (this.flapping) {
      const { well, badly } = this.flapping;
      return this.#looks % (well + badly) < well;
    }
    return !this.hung && this.#isUp();
  }

  #isUp(): boolean {
    return !this.frozen && this.#now() >= this.#bootedAtMs;
  }

  #power(action: PowerAction): PowerOutcome {
    if (this.away) return { outcome: 'not-sent', reason: AWAY.reason, message: AWAY.message };
    const manner = this.manner;
    this.manner = 'well';
    if (manner === 'worker-dies-before') throw new Error('the worker was killed');
    if (manner === 'refuses') return { outcome: 'not-sent', reason: 'refused', message: 'the VM is being migrated' };
    if (manner === 'drops-then-nothing') return { outcome: 'in-doubt', message: 'the connection was lost' };
    this.powerCommands.push({ atMs: this.#now(), action });
    this.#obey(action);
    if (manner === 'worker-dies-after') throw new Error('the worker was killed');
    if (manner === 'acts-then-drops') return { outcome: 'in-doubt', message: 'the connection was lost' };
    return { outcome: 'done', detail: `${action}: done` };
  }

  #obey(action: PowerAction): void {
    if (action === 'stop') this.frozen = true;
    if (action === 'start') this.frozen = false;
    if (action !== 'reset') return;
    this.frozen = false;
    this.#bootedAtMs = this.#now() + this.bootMs;
    if (this.resetsHelp) this.hung = false;
  }
}

/** A target that no VM has. */
export const MISTYPED = ':8081/';

const AWAY: ProviderTrouble = { ok: false, reason: 'unreachable', message: 'its QMP socket is not there' };
const WELL: ProbeResult = {
  status: 'healthy',
  reason: 'ok',
  message: null,
  latencyMs: 3,
  rawResponse: { statusCode: 200 },
  summary: 'ok',
};
const FPING_MISSING: ProbeResult = {
  status: 'unknown',
  reason: 'fping-missing',
  message: 'fping is not installed where this worker runs: install it.',
  latencyMs: null,
  rawResponse: {},
  summary: 'ping fping missing',
};
const EXPIRED: ProbeResult = {
  status: 'unhealthy',
  reason: 'certificate-expired',
  message: 'The certificate has run out.',
  latencyMs: null,
  rawResponse: {},
  summary: 'certificate expired',
};
const TIMED_OUT: ProbeResult = {
  status: 'unhealthy',
  reason: 'timeout',
  message: 'HTTP timeout (2s)',
  latencyMs: null,
  rawResponse: {},
  summary: 'timeout',
};
