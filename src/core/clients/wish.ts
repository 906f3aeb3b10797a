// What somebody asks for on the command line, checked: the way to go, and for which registries.
import { isRegistryName } from '../oci/reference.ts';
import { hostOf, isPlainHttp, type Target, type Way } from './plan.ts';

/** Thrown for what cannot be meant. */
export class Misuse extends Error {}

export function parseWay(options: { readonly mirror?: string | undefined; readonly proxy?: string | undefined }): Way {
  const { mirror, proxy } = options;
  if (mirror !== undefined && proxy === undefined) return { kind: 'mirror', url: mirrorUrl(mirror) };
  if (proxy !== undefined && mirror === undefined) return { kind: 'proxy', url: proxyUrl(proxy) };
  throw new Misuse('say where sampan is, by one of --mirror http://127.0.0.1:5050 and --proxy http://127.0.0.1:8384');
}

function mirrorUrl(text: string): string {
  const url = parseUrl('--mirror', text);
  if (url.username !== '' || url.password !== '') {
    throw new Misuse(
      "--mirror: clients take no login in a mirror's URL; an account's secret may stand first in its path",
    );
  }
  if (url.search !== '' || url.hash !== '') throw new Misuse('--mirror: a URL without ? and #');
  return url.origin + url.pathname.replace(/\/+$/, '');
}

function proxyUrl(text: string): string {
  const url = parseUrl('--proxy', text);
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') throw new Misuse('--proxy: a URL without a path');
  const login = [url.username, url.password].filter((part) => part !== '').map(quoteless);
  return `${url.protocol}//${login.join(':')}${login.length > 0 ? '@' : ''}${url.host}`;
}

/** What is dangerous about a way that somebody may choose all the same. */
export function cautions({ kind, url }: Way): string[] {
  const near = /^(?:localhost|127\.[\d.]+|\[::1\])(?::\d+)?$/.test(hostOf(url));
  if (kind === 'proxy' || !isPlainHttp(url) || near) return [];
  return [`${url} is not encrypted: whoever is on the way there can answer in its place and choose what a tag means`];
}

/** What a shell or a unit file would read something into. */
function quoteless(text: string): string {
  return text.replace(/['$`\\]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}

function parseUrl(option: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && /^https?:\/\//i.test(text)) return url;
  throw new Misuse(`${option}: a URL such as http://127.0.0.1:5050`);
}

/** What stands in the catalogue, but for wildcards: no client knows those for mirrors. */
export interface Known {
  readonly names: readonly string[];
  find(name: string): { readonly name: string; readonly endpoints: readonly string[] } | undefined;
}

/** `named`: by --registry; empty: all that are known. */
export function parseRegistries(named: readonly string[], known: Known): readonly Target[] {
  const names = named.length === 0 ? known.names.filter((name) => !name.startsWith('*')) : named;
  const targets = names.map((each): Target => {
    const name = each.toLowerCase();
    if (!isRegistryName(name) || !/[.:]/.test(name)) {
      throw new Misuse(`--registry: ${JSON.stringify(each)} is not the host of a registry, such as ghcr.io`);
    }
    const found = known.find(name);
    return { name: found?.name ?? name, server: found?.endpoints[0] ?? `https://${name}` };
  });
  return [...new Map(targets.map((target) => [target.name, target])).values()];
}
