// Reads configurations for tests: no environment, no flags and no file but those given.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Config, type ConfigSources, readConfig } from '../../../src/node/config/config.ts';
import { ConfigError } from '../../../src/config/problem.ts';

export async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-config-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

/** As if `sampan.yaml` were given by `--config`. */
export async function read(t: TestContext, yaml: string | Buffer, more: Partial<ConfigSources> = {}): Promise<Config> {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'sampan.yaml'), yaml);
  return readConfig({ environment: {}, directory, ...more, flags: { config: 'sampan.yaml', ...more.flags } });
}

/** What is wrong, a line for each. */
export async function complaints(
  t: TestContext,
  yaml: string | Buffer,
  more: Partial<ConfigSources> = {},
): Promise<string[]> {
  return complaintsOf(read(t, yaml, more));
}

export async function complaintsOf(reading: Promise<Config>): Promise<string[]> {
  try {
    await reading;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ where, says }) => `${where}: ${says}`);
    throw error;
  }
  return [];
}
