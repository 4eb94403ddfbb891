import type { Probe, ProbeInput } from '../../../checks/check.ts';
import type { PowerAction, PowerState, ReadBack } from '../../../domain/power.ts';
import type { ProbeResult } from '../../../domain/probe-result.ts';
import type { PowerOutcome, PreparedAction, Provider, ProviderTrouble } from '../../../providers/provider.ts';
import type { Providers } from '../../../providers/providers.ts';
import { qemu } from '../../../providers/qemu/kind.ts';

/** What the hypervisor does with power commands. */
export type Manner =
  | 'well'
  | 'acts-then-drops'
  | 'drops-then-nothing'
  /** Says that it is done, and does nothing. */
  | 'ignores'
  | 'refuses'
  | 'worker-dies-before'
  | 'worker-dies-after';

/** What a hypervisor was told. */
export interface PowerCommand {
  /** By the scenario's time. */
  atMs: number;
  /** In the order of all that really happened. */
  tick: number;
  action: PowerAction;
  /** How the VM was then. */
  power: PowerState;
  notUpAtMs: number;
}

/** One VM and its hypervisor, with the faults that scripts ask for, in the scenario's time. */
export class FakeSite {
  hung = false;
  /** While hung it accepts connections and answers nothing, so probes last until their timeout. */
  hangsSlowly = false;
  /** The worker has no fping, so pings can't tell. */
  fpingLost = false;
  /** Its agent reports nothing, though the VM is well. */
  agentDied = false;
  /** Its certificate has expired, which no reset repairs. */
  expired = false;
  /** The state that the hypervisor names. */
  power: PowerState = 'running';
  /** Its disks don't answer: it stops again as soon as it is resumed. */
  storageBroken = false;
  /** Hangs again by itself after every reset. */
  resetsHelp = true;
  /** Short enough to be over between two looks, whatever tick a reset was at. */
  bootMs = 7_000;
  /** Answers this many looks well, then this many badly, over and over; null = always alike. */
  flapping: { well: number; badly: number } | null = null;
  away = false;
  /** Its hypervisor takes so long for each answer. */
  slowMs = 0;
  manner: Manner = 'well';
  /** Refuses every command. */
  locked = false;
  readonly powerCommands: PowerCommand[] = [];
  /** When it was read back that an action was carried out. */
  readonly readBacksAtMs: number[] = [];
  /** When a look last found it other than up, or it last changed so that looks may; by the scenario's time. */
  notUpAtMs: number;
  #bootedAtMs = 0;
  #looks = 0;
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor(now: () => number, sleep: (ms: number) => Promise<void>) {
    this.#now = now;
    this.#sleep = sleep;
    this.notUpAtMs = now();
  }

  readonly #provider: Provider = {
    register: async (reference) => ({ ok: true, reference, key: null, warning: null }),
    test: async () => ({ ok: true, detail: 'fake' }),
    state: async () => {
      await this.#takesTime();
      if (this.away) return AWAY;
      return { ok: true, state: { power: this.power, detail: 'fake' } };
    },
    prepare: async (_reference, action) => {
      await this.#takesTime();
      return this.away ? AWAY : { ok: true, prepared: this.#prepare(action) };
    },
    readBack: async (_reference, action) => {
      await this.#takesTime();
      const answer = this.#readBack(action);
      if (answer.verdict === 'acted') this.readBacksAtMs.push(this.#now());
      return answer;
    },
  };

  /** Somebody starts it: it is up after its time to boot. */
  boot(): void {
    this.power = 'running';
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
    probe: async () => (this.fpingLost ? FPING_MISSING : this.#isRunning() ? WELL : TIMED_OUT),
  };

  readonly agent: Probe = {
    about: 'alive',
    needsCorroboration: true,
    needs: [],
    probe: async () => (this.isUp && !this.agentDied ? WELL : TIMED_OUT),
  };

  readonly certificate: Probe = {
    about: 'load',
    needsCorroboration: false,
    needs: [],
    probe: async () => (this.expired ? EXPIRED : WELL),
  };

  async #takesTime(): Promise<void> {
    if (this.slowMs > 0) await this.#sleep(this.slowMs);
  }

  #answers({ target }: Pick<ProbeInput, 'target'>): boolean {
    if (!this.isUp || this.flapping) this.notUpAtMs = this.#now();
    // nothing listens there, also when the VM is well
    if (target === MISTYPED) return false;
    this.#looks++;
    if (this.flapping) {
      const { well, badly } = this.flapping;
      return this.#looks % (well + badly) < well;
    }
    return this.isUp;
  }

  /** Whether it answers, flapping aside. */
  get isUp(): boolean {
    return !this.hung && this.#isRunning();
  }

  #isRunning(): boolean {
    return this.power === 'running' && this.#now() >= this.#bootedAtMs;
  }

  #prepare(action: PowerAction): PreparedAction {
    return {
      state: { power: this.power, detail: 'fake' },
      send: async () => {
        const outcome = this.#send(action);
        await this.#takesTime();
        return outcome;
      },
      release: () => undefined,
    };
  }

  #send(action: PowerAction): PowerOutcome {
    const manner = this.manner;
    this.manner = 'well';
    if (manner === 'worker-dies-before') throw new Error('the worker was killed');
    if (this.locked || manner === 'refuses')
      return { outcome: 'not-sent', reason: 'refused', message: 'the VM is being migrated' };
    if (manner === 'drops-then-nothing') return { outcome: 'in-doubt', message: 'the connection was lost' };
    const { power, notUpAtMs } = this;
    this.powerCommands.push({ atMs: this.#now(), tick: performance.now(), action, power, notUpAtMs });
    if (manner !== 'ignores') this.#obey(action);
    if (manner === 'worker-dies-after') throw new Error('the worker was killed');
    if (manner === 'acts-then-drops') return { outcome: 'in-doubt', message: 'the connection was lost' };
    return { outcome: 'done', detail: `${action}: done` };
  }

  /** As with QEMU: its state does not show a reset, but shows stopped CPUs. */
  #readBack(action: PowerAction): ReadBack {
    if (this.away) return { verdict: 'cannot-tell', detail: AWAY.message };
    if (action === 'reset') return { verdict: 'cannot-tell', detail: 'a reset leaves no trace' };
    const stands = this.power === 'paused';
    return { verdict: stands === (action === 'stop') ? 'acted' : 'not-acted', detail: this.power };
  }

  #obey(action: PowerAction): void {
    if (action === 'stop') this.power = 'paused';
    else if (action === 'resume' || action === 'start') this.power = this.storageBroken ? 'storage-failed' : 'running';
    if (action !== 'reset') return;
    this.power = 'running';
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
