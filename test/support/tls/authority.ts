import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate with its key, as files and as text (PEM). */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of one test file. */
export interface Authority {
  readonly caFile: string;
  readonly ca: string;
  /** A certificate for a server at these addresses (`DNS:localhost`, `IP:127.0.0.1`), or for a client: without any. */
  issue(name: string, addresses?: readonly string[]): Certificate;
}

const CLIENT = 'extendedKeyUsage=clientAuth\n';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes an authority in the folder, with `openssl`; its certificates are valid for a day. */
export function createAuthority(folder: string, name: string): Authority {
  const file = (of: string, kind: string) => join(folder, `${name}-${of}.${kind}`);
  const [caFile, caKeyFile] = [file('ca', 'pem'), file('ca', 'key')];
  const constraints = ['-addext', 'keyUsage=critical,keyCertSign'];
  openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-days',
    '1',
    '-subj',
    `/CN=${name}`,
    ...constraints,
    '-keyout',
    caKeyFile,
    '-out',
    caFile,
  );
  return {
    caFile,
    ca: readFileSync(caFile, 'utf8'),
    issue(of, addresses = []) {
      const [certFile, keyFile, request, extensions] = ['pem', 'key', 'csr', 'ext'].map((kind) => file(of, kind)) as [
        string,
        string,
        string,
        string,
      ];
      // with an extension it is of version 3: the worker's core takes no other
      writeFileSync(extensions, addresses.length > 0 ? `subjectAltName=${addresses.join(',')}\n` : CLIENT);
      openssl('req', '-new', ...NEW_KEY, '-subj', `/CN=${of}`, '-keyout', keyFile, '-out', request);
      const signing = ['-CA', caFile, '-CAkey', caKeyFile, '-CAcreateserial', '-days', '1', '-extfile', extensions];
      openssl('x509', '-req', '-in', request, ...signing, '-out', certFile);
      return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    },
  };
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
