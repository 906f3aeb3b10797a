// What is to run as a service: which sampan, with which configuration, over which data, as whom.

export interface ServiceFacts {
  /** `bin/sampan`. This path and the others are absolute. */
  readonly program: string;
  readonly config: string | undefined;
  readonly data: string;
  readonly user: string;
  /** It listens on a port below 1024. */
  readonly privileged: boolean;
  /** Something that it needs lies where people have their homes. */
  readonly atHome: boolean;
  /** Milliseconds that running replies have when it is told to stop. */
  readonly stopWithin: number;
}

/** Where things of a service are, by custom. */
export interface Places {
  readonly unit: string;
  readonly script: string;
  /** Variables for it, for whoever wants to set some. */
  readonly environment: string;
  readonly pidFile: string;
  /** Of a service that systemd does not look after. */
  readonly log: string;
  /** There while systemd runs (sd_booted(3)). */
  readonly systemd: string;
}

export const usualPlaces: Places = {
  unit: '/etc/systemd/system/sampan.service',
  script: '/etc/init.d/sampan',
  environment: '/etc/default/sampan',
  pidFile: '/run/sampan.pid',
  log: '/var/log/sampan.log',
  systemd: '/run/systemd/system',
};

/** What the kernel calls the process while it serves; fifteen characters are all that it takes. */
export const servingName = 'sampan: serving';

/** Open connections and blobs: one client of a big pull takes a dozen. */
export const mostFiles = 65_536;

/** Seconds after which it is ended the hard way: running replies, then the store, and a bit. */
export function stopSeconds({ stopWithin }: ServiceFacts): number {
  return Math.ceil(stopWithin / 1000) + 10;
}

/** The arguments of `bin/sampan`. */
export function argumentsOf({ config, data }: ServiceFacts): readonly string[] {
  return ['serve', ...(config === undefined ? [] : ['--config', config]), '--data', data];
}

/** Comments in what is written, so that it can be told later what runs. */
export function factLines({ config, data, user }: ServiceFacts): string {
  return `# config: ${config ?? 'none'}\n# data: ${data}\n# user: ${user}\n`;
}

export interface Remembered {
  readonly config: string | undefined;
  readonly data: string;
  readonly user: string;
}

/** Undefined for a file that is none of ours. */
export function parseFactLines(text: string): Remembered | undefined {
  const [, config, data, user] = /^# config: (.+)\n# data: (.+)\n# user: (.+)$/m.exec(text) ?? [];
  if (config === undefined || data === undefined || user === undefined) return undefined;
  return { config: config === 'none' ? undefined : config, data, user };
}
