import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const SECTIONS = ['looks', 'attack', 'power', 'list', 'held', 'start'] as const;
export type Section = (typeof SECTIONS)[number];

export interface Options {
  readonly sections: ReadonlySet<Section>;
  /** VMs that are looked at in the sections looks, attack, power and list. */
  readonly vms: number;
  readonly intervalSeconds: number;
  /** Length of the measured windows of looks and held. */
  readonly seconds: number;
  /** VMs in the database while the list is read; those beyond `vms` are looked at once an hour. */
  readonly listVms: number;
  readonly heldVms: number;
  readonly startsPerSecond: number;
  /** Where the worker's CPU profiles go. */
  readonly profileDir: string | null;
  /** The file that gets the tables as Markdown. */
  readonly writeTo: string | null;
}

/** What `npm run bench` takes. */
export const USAGE = `npm run bench -- [options]
  --only A,B       of ${SECTIONS.join(', ')}; default all
  --vms N          VMs with three checks each (9000)
  --interval S     seconds between looks at a VM (60)
  --seconds S      length of the measured window (60)
  --list-vms N     VMs in the database for the section list (10000)
  --held-vms N     VMs for the section held (1000)
  --start-rate N   workflows started per second at most, while warming up (100)
  --profile DIR    CPU profiles of the worker
  --write FILE     the tables as Markdown
`;

/** @throws Error with a sentence for the first thing that can't be meant. */
export function parseOptions(args: string[]): Options {
  const flags = ['only', 'vms', 'interval', 'seconds', 'list-vms', 'held-vms', 'start-rate', 'profile', 'write'];
  const options = Object.fromEntries(flags.map((flag) => [flag, { type: 'string' as const }]));
  const { values } = parseArgs({ args, options });
  const whole = (flag: string, usual: number, max: number): number => {
    const value = Number(values[flag] ?? usual);
    if (Number.isInteger(value) && value >= 1 && value <= max) return value;
    throw new Error(`--${flag} ${values[flag]}: give a whole number from 1 to ${max}.`);
  };
  const path = (text: string | undefined) => (text === undefined ? null : resolve(text));
  return {
    sections: new Set(values['only']?.split(',').map(sectionNamed) ?? SECTIONS),
    vms: whole('vms', 9_000, 100_000),
    intervalSeconds: whole('interval', 60, 3_600),
    seconds: whole('seconds', 60, 3_600),
    listVms: whole('list-vms', 10_000, 100_000),
    heldVms: whole('held-vms', 1_000, 100_000),
    startsPerSecond: whole('start-rate', 100, 1_000),
    profileDir: path(values['profile']),
    writeTo: path(values['write']),
  };
}

function sectionNamed(name: string): Section {
  const section = SECTIONS.find((one) => one === name.trim());
  if (section === undefined) throw new Error(`There is no section "${name}": use ${SECTIONS.join(', ')}.`);
  return section;
}
