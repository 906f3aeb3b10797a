// A registry with private images, each of which lies in the mirror under test, is on its way there, or is not there at all.
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { artifact, image, index, type Item, type Layer, layerOf } from '../fakes/registry/content.ts';
import { Gate } from '../fakes/registry/gate.ts';
import type { Asked } from '../fakes/registry/listener.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import type { Way } from './attack-ways.ts';
import type { ReachableFace } from './chain.ts';
import { key, type Settings, tokenIn } from './door.ts';
import type { FaceAnswer, FaceRequest } from './face.ts';

/** A face that tells what was asked of store, book and flights, if anybody can see that. */
export interface SpiedFace extends ReachableFace {
  /** In their order: `store.open sha256:…`, `asked 200`, … */
  readonly calls?: string[];
  /** Nothing stays here of what only somebody in particular may have. */
  readonly forgets?: boolean;
  /** Its clock goes on by so many milliseconds, where it can. */
  readonly forward?: (ms: number) => void;
  /** Reads its configuration anew, where it can. */
  readonly reload?: () => Promise<void>;
}

/** Where everybody is. */
export const home = '192.0.2.7';

export type OpenSpied = (settings: Settings) => Promise<SpiedFace>;

export const states = ['hit', 'run', 'not'] as const;
export type State = (typeof states)[number];

/** One image, private as `acme/…` and public as `open/…`. */
export interface Secret {
  readonly state: State;
  readonly name: string;
  readonly layer: Layer;
  readonly bytes: Buffer;
  readonly item: Item;
  readonly sbom: Item;
}

/** Images that name parts of a secret and have none of them. */
export type Forgery = 'digest' | 'layer' | 'child' | 'subject';
export const forgeries: readonly Forgery[] = ['layer', 'digest', 'child', 'subject'];

function forged({ item, layer }: Secret, forgery: Forgery): Item {
  if (forgery === 'child') return { ...index([item]), children: [] };
  if (forgery === 'subject') return artifact({ subject: item });
  const own = layerOf(Buffer.from('the attacker’s own'));
  const made = image({ layers: forgery === 'layer' ? [own, layer] : [own] });
  return { ...made, blobs: made.blobs.filter(({ digest }) => digest !== layer.digest) };
}

/** Whoever may have all that is private, at the registry. */
export const owners = 'owner:swordfish';
const logins = (names: readonly string[]) => ({ [owners]: names, 'other:swordfish': [] });

export class AttackLab {
  hub!: FakeRegistry;
  /** A third party's mirror. */
  third!: FakeRegistry;
  face!: SpiedFace;
  readonly secrets: readonly Secret[] = states.map(secretIn);
  readonly #way: Way;
  readonly #close: (() => Promise<void>)[] = [];
  readonly #gate = new Gate();
  readonly #gates = [this.#gate];
  readonly #running: Promise<FaceAnswer>[] = [];
  readonly #held: Promise<FaceAnswer>[] = [];

  constructor(way: Way) {
    this.#way = way;
  }

  async open(open: OpenSpied): Promise<void> {
    [this.hub, this.third] = [await startRegistry(), await startRegistry()];
    this.#close.push(
      () => this.hub.down(),
      () => this.third.down(),
    );
    for (const { name, item, sbom } of this.secrets) {
      for (const registry of [this.hub, this.third]) {
        for (const repository of [`acme/${name}`, `open/${name}`]) {
          registry.hold(repository, item, '1');
          registry.hold(repository, sbom);
        }
      }
    }
    const common = { key, catalogue: false };
    const settings = { ...common, ...(await this.#way.settings(this)) };
    this.#demand(this.#isAnybodys ? [] : this.#names);
    const first = await open(settings);
    this.#close.unshift(() => first.close());
    this.face = first;
    if (this.#way.behind !== undefined) {
      this.face = await open({ ...common, ...(await this.#way.behind(this, first)) });
      this.#close.unshift(() => this.face.close());
    }
  }

  async close(): Promise<void> {
    for (const gate of this.#gates) gate.open();
    for (const each of this.#close) await each();
  }

  get #names(): readonly string[] {
    return this.secrets.map(({ name }) => `acme/${name}`);
  }

  /** While it is pulled. */
  get #isAnybodys(): boolean {
    return this.#way.formerly === true || this.#way.open === true;
  }

  #demand(names: readonly string[]): void {
    this.hub.levers.token = { expiresIn: 300, private: names, logins: logins(names), mark: 'hub' };
  }

  /** `from`: an address, as each kind of face is told of it. */
  ask({ target, headers, ...others }: FaceRequest, authorization?: string, from = home): Promise<FaceAnswer> {
    const came = { 'x-forwarded-for': from, 'cf-connecting-ip': from };
    const told = { host: 'mirror.example', ...came, ...headers, ...(authorization !== undefined && { authorization }) };
    return this.face.request({ target, headers: told, ...others });
  }

  /** Of this mirror. */
  async token(repository: string, authorization?: string, service = 'docker.io'): Promise<string> {
    const scope = encodeURIComponent(`repository:${repository}:pull`);
    return tokenIn(await this.ask({ target: `/token?service=${service}&scope=${scope}` }, authorization));
  }

  /** Of the registry. */
  async direct(repository: string, authorization: string): Promise<string> {
    const got = await fetch(`${this.hub.url}/token?scope=repository:${repository}:pull`, {
      headers: { authorization },
    });
    return `Bearer ${((await got.json()) as { token: string }).token}`;
  }

  /** The registry's own, in a token of this mirror. */
  upstreamToken(bearer: string): string {
    return /^Bearer sampan\.[^.]+\.[0-9a-f]+\.t(.+)$/.exec(bearer)?.[1] ?? assert.fail(bearer);
  }

  /** Brings each secret into its state. */
  async stage(): Promise<void> {
    const { formerly = false, alone = false } = this.#way;
    for (const secret of this.secrets) {
      const owner = await this.#way.owner(this, `acme/${secret.name}`);
      const guest = await this.#way.guest(this, `open/${secret.name}`);
      if (secret.state === 'hit') {
        if (!alone) await this.#pullAll(secret, 'open', guest);
        await this.#pullAll(secret, 'acme', owner);
        if (formerly) await this.#pullAll(secret, 'acme', undefined);
      }
      if (secret.state === 'run') await this.#start(secret, formerly ? undefined : owner, guest);
    }
    await this.#way.staged?.(this);
    if (!formerly) return;
    this.#demand(this.#names);
    this.hub.tokens.revoke();
    // Whoever looks next ends it.
    for (const { name } of this.secrets) {
      assert.equal((await this.ask({ target: `/v2/acme/${name}/manifests/1` })).status, 401);
    }
    this.third.log.length = 0;
  }

  /** Again, until blobs are seen to be here, unless the face keeps nothing of what is for somebody alone. */
  async #pullAll({ name, item, layer }: Secret, where: string, authorization: string | undefined): Promise<void> {
    const here = this.face.forgets === true ? /hit|bypass/ : /hit|kept/;
    for (const path of ['manifests/1', `manifests/${item.digest}`, `referrers/${item.digest}`]) {
      assert.equal((await this.ask({ target: `/v2/${where}/${name}/${path}` }, authorization)).status, 200);
    }
    for (const { digest } of [...item.blobs, layer]) {
      let told: FaceAnswer;
      do {
        told = await this.ask({ target: `/v2/${where}/${name}/blobs/${digest}` }, authorization);
        assert.equal(told.status, 200);
      } while (!here.test(String(told.headers['cache-status'])));
    }
  }

  /** Held up in the middle: the layer, for whoever has the public one and for the owner. */
  async #start(secret: Secret, owner: string | undefined, guest: string | undefined): Promise<void> {
    const { name, layer } = secret;
    this.hub.levers.stall = { after: 100, gate: this.#gate, digest: layer.digest };
    const start = async (where: string, authorization: string | undefined) => {
      const target = `/v2/${where}/${name}/blobs/${layer.digest}`;
      this.#running.push(this.ask({ target }, authorization));
      const isTheirs = (asked: Asked) => where === 'open' || this.#isOwners(asked);
      while (!this.hub.asked(target).some(isTheirs)) await setImmediate();
    };
    if (this.#way.alone !== true) await start('open', guest);
    await start('acme', owner);
    await this.#gate.reached();
    if (!this.#isAnybodys) await this.#startOthers(secret, owner);
  }

  #isOwners(asked: Asked): boolean {
    return this.#isAnybodys || this.hub.tokens.loginOf(asked) === owners;
  }

  /** Held up before they begin: manifests and lists. */
  async #startOthers({ name, item }: Secret, owner: string | undefined): Promise<void> {
    const manifest = `manifests/${item.digest}`;
    const shared = ['manifests/1', `referrers/${item.digest}`];
    // Behind another one these are asked for in nobody's name first, once for all who come, and with that one's account.
    const all = [manifest, 'tags/list', ...(this.#way.behind === undefined ? shared : [])];
    const paths = all.map((path) => `/v2/acme/${name}/${path}`);
    const gate = new Gate();
    this.#gates.push(gate);
    this.hub.levers.hold = (asked) => {
      // Of a digest the bytes are held up, and not the word that it is there.
      const isWord = asked.method === 'HEAD' && asked.path.endsWith(manifest);
      return paths.includes(asked.path) && !isWord && this.#isOwners(asked) ? gate.enter() : undefined;
    };
    for (const target of paths) this.#held.push(this.ask({ target }, owner));
    await gate.reached(paths.length);
    this.hub.levers.hold = undefined;
  }

  /** Lets go what was held up; those who asked for blobs. The others may have been given up, where all this took long. */
  async finish(): Promise<readonly FaceAnswer[]> {
    for (const gate of this.#gates) gate.open();
    await Promise.allSettled(this.#held);
    return Promise.all(this.#running);
  }

  /** A public repository of the attacker's with a forgery in it, which he has had. */
  async forge(secret: Secret, forgery: Forgery, number: number): Promise<{ name: string; shows: string | undefined }> {
    const name = `evil/${secret.state}-${forgery}-${number}`;
    this.hub.hold(name, forged(secret, forgery), '1');
    const shows = await this.#way.guest(this, name);
    assert.equal((await this.ask({ target: `/v2/${name}/manifests/1` }, shows)).status, 200);
    return { name, shows };
  }
}

function secretIn(state: State): Secret {
  const bytes = Buffer.alloc(5000, `private ${state} `);
  const layer = layerOf(bytes);
  const item = image({ layers: [layer] });
  return { state, name: state, layer, bytes, item, sbom: artifact({ subject: item }) };
}

/** So that what is held up does not count as stalled: for who looks at blobs. */
export function patient(settings: Settings): Settings {
  const entries = Object.entries(settings['registries'] as Readonly<Record<string, object>>);
  const registries = Object.fromEntries(entries.map(([name, entry]) => [name, { ...entry, stall_after: '5m' }]));
  return { ...settings, registries };
}
