import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const SECTIONS = ['looks', 'power', 'list', 'held', 'start'] as const;
export type Section = (typeof SECTIONS)[number];

export interface Options {
  readonly sections: ReadonlySet<Section>;
  /** VMs that are looked at in the sections looks, power and list. */
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

/** Throws a sentence for the first thing that can't be meant. */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: SECTIONS.join(',') },
      vms: { type: 'string', default: '9000' },
      interval: { type: 'string', default: '60' },
      seconds: { type: 'string', default: '60' },
      'list-vms': { type: 'string', default: '10000' },
      'held-vms': { type: 'string', default: '1000' },
      'start-rate': { type: 'string', default: '100' },
      profile: { type: 'string' },
      write: { type: 'string' },
    },
  });
  return {
    sections: new Set(values.only.split(',').map(sectionNamed)),
    vms: whole('--vms', values.vms, 100_000),
    intervalSeconds: whole('--interval', values.interval, 3_600),
    seconds: whole('--seconds', values.seconds, 3_600),
    listVms: whole('--list-vms', values['list-vms'], 100_000),
    heldVms: whole('--held-vms', values['held-vms'], 100_000),
    startsPerSecond: whole('--start-rate', values['start-rate'], 1_000),
    profileDir: values.profile === undefined ? null : resolve(values.profile),
    writeTo: values.write === undefined ? null : resolve(values.write),
  };
}

function sectionNamed(name: string): Section {
  const section = SECTIONS.find((one) => one === name.trim());
  if (section === undefined) throw new Error(`There is no section "${name}": use ${SECTIONS.join(', ')}.`);
  return section;
}

function whole(flag: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new Error(`${flag} ${text}: give a whole number from 1 to ${most}.`);
  }
  return value;
}
