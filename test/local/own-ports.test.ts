import { describe, expect, it } from 'vitest';
import { equalPorts, portsInUse } from '../../local/own-ports.ts';

const NONE = { databaseUrl: undefined, temporal: undefined, problems: [] };
const TEMPORAL = { address: 'temporal.example:7233', namespace: 'default', access: {} };
const ALL = { PORT: 1, TEMPORAL_PORT: 2, TEMPORAL_UI_PORT: 3, POSTGRES_PORT: 4 };

describe('the ports that npm start opens', () => {
  it('are those of the servers that nobody names', () => {
    expect(portsInUse(NONE)).toEqual(['PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT', 'POSTGRES_PORT']);
    expect(portsInUse({ ...NONE, temporal: TEMPORAL })).toEqual(['PORT', 'POSTGRES_PORT']);
    expect(portsInUse({ ...NONE, databaseUrl: 'postgres://x/y', temporal: TEMPORAL })).toEqual(['PORT']);
  });

  it('may not be equal: the settings are named, by each port', () => {
    const names = portsInUse(NONE);
    expect(equalPorts(ALL, names)).toEqual([]);
    expect(equalPorts({ ...ALL, POSTGRES_PORT: 1 }, names)).toEqual([
      'PORT, POSTGRES_PORT: both are 1, and each needs a port of its own',
    ]);
    expect(equalPorts({ PORT: 1, TEMPORAL_PORT: 2, TEMPORAL_UI_PORT: 2, POSTGRES_PORT: 1 }, names)).toHaveLength(2);
    expect(equalPorts({ PORT: 1, TEMPORAL_PORT: 1, TEMPORAL_UI_PORT: 1, POSTGRES_PORT: 4 }, names)).toEqual([
      'PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT: all are 1, and each needs a port of its own',
    ]);
  });

  it('may be equal to one that is not opened', () => {
    expect(equalPorts({ ...ALL, POSTGRES_PORT: 1 }, ['PORT', 'TEMPORAL_PORT'])).toEqual([]);
  });
});
