import { execFile } from 'node:child_process';
import { chmodSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { firstLineOf, StartError } from '../workers/start-error.ts';
import { environment } from './environment.mjs';
import { cacheFolder, downloadBySdk, makeOnce, programsIn } from './server-cache.ts';

const run = promisify(execFile);

const VERSION = '1.31.0';
const MIN_JAVA = 11;

/**
 * Gets the program of Temporal's test server with virtual time: from Defib's cache, by the SDK's download, or as jars by
 * Maven. Several processes may call this at once.
 * @param log gets one line for every way that failed, and why; and for slow steps.
 * @throws StartError that says what is missing.
 */
export async function findTimeSkippingServer(log: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder(environment), 'temporal-test-server');
  const jars = join(folder, VERSION);
  const withJars = join(jars, 'temporal-test-server');
  const noJava = await whyNoJava();
  if (existsSync(jars) && noJava === undefined) return withJars;
  const downloads = join(folder, 'download');
  const [kept] = programsIn(downloads);
  if (kept !== undefined) return kept;

  const missing: string[] = [];
  const explain = (line: string) => {
    missing.push(line);
    log(`Virtual time: ${line}.`);
  };
  try {
    return await downloadBySdk('createTimeSkipping', downloads);
  } catch (error) {
    explain(`the SDK's download failed (${firstLineOf(error)})`);
  }
  try {
    if (noJava !== undefined) throw new Error(noJava);
    await makeOnce(jars, (workFolder) => copyJars(workFolder, jars, log), log);
    return withJars;
  } catch (error) {
    explain(whyNoJars(error));
  }
  throw new StartError(`no test server with virtual time: ${missing.join('; ')}`);
}

async function copyJars(workFolder: string, target: string, log: (line: string) => void): Promise<void> {
  log(`Virtual time: fetching io.temporal:temporal-test-server:${VERSION} with Maven, once …`);
  const pom = join(workFolder, 'pom.xml');
  writeFileSync(pom, POM);
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${join(workFolder, 'lib')}`];
  await run('mvn', ['-B', '-q', '-f', pom, ...goal], { maxBuffer: 64 * 1024 * 1024 });
  const wrapper = join(workFolder, 'temporal-test-server');
  writeFileSync(wrapper, WRAPPER);
  chmodSync(wrapper, 0o755);
  renameSync(workFolder, target);
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>temporal-test-server-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

/** One worker's load at most: a small heap and the quick compiler start sooner and leave the cores to the tests. */
const WRAPPER = `#!/bin/sh
exec java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`;

async function whyNoJava(): Promise<string | undefined> {
  try {
    // It writes its version to stderr, as "11.0.2" or, before 9, as "1.8.0".
    const { stderr } = await run('java', ['-version']);
    const major = Number(stderr.match(/version "(\d+)/)?.[1]);
    return major >= MIN_JAVA ? undefined : `Java is older than ${MIN_JAVA}`;
  } catch {
    return `no Java ${MIN_JAVA} or newer on PATH`;
  }
}

function whyNoJars(error: unknown): string {
  const { code, stdout } = error as { code?: unknown; stdout?: string };
  if (code === 'ENOENT') return 'no Maven (mvn) on PATH';
  if (stdout === undefined) return firstLineOf(error);
  const said = stdout.split('\n').find((line) => line.startsWith('[ERROR]'));
  return `Maven could not fetch it (${said?.replace('[ERROR] ', '') ?? firstLineOf(error)})`;
}
