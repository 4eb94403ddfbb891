export type RunState =
  | 'running'
  | 'paused'
  | 'prelaunch'
  | 'io-error'
  | 'guest-panicked'
  | 'internal-error'
  | 'shutdown'
  | 'postmigrate'
  | 'watchdog';

/** States out of which QEMU lets a VM go only by a reset (its runstate_needs_reset). */
const NEEDS_RESET: ReadonlySet<RunState> = new Set(['internal-error', 'shutdown']);

/** What QMP sees of a VM. It serves while it runs and does not hang. */
export class FakeVm {
  status: RunState = 'running';
  hung = false;
  resets = 0;
  /** The reset happens some turns after its answer, as on a busy host. */
  resetsLate = false;
  onReset: () => void = () => undefined;

  serves(): boolean {
    return this.status === 'running' && !this.hung;
  }

  /** Carries out a QMP command and returns its answer, without an id. */
  execute(command: string): object {
    switch (command) {
      case 'qmp_capabilities':
        return { return: {} };
      case 'query-status':
        return { return: { status: this.status, singlestep: false, running: this.status === 'running' } };
      case 'system_reset':
        if (this.resetsLate) setTimeout(() => this.#reset(), 50);
        else this.#reset();
        return { return: {} };
      case 'system_powerdown':
        if (this.serves()) this.status = 'shutdown';
        return { return: {} };
      case 'stop':
        if (this.status === 'running') this.status = 'paused';
        return { return: {} };
      case 'cont':
        if (NEEDS_RESET.has(this.status)) return refusal('Resetting the Virtual Machine is required');
        this.status = 'running';
        return { return: {} };
      default:
        return refusal(`The command ${command} has not been found`);
    }
  }

  #reset(): void {
    this.resets += 1;
    this.hung = false;
    if (this.status !== 'running') this.status = 'prelaunch';
    this.onReset();
  }
}

function refusal(desc: string): object {
  return { error: { class: 'GenericError', desc } };
}
