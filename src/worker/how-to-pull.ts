// What the landing page tells those who may pull: the very commands for this host, with the login that they need.
import { escaped } from '../core/edge/page.ts';
import type { LoginMode } from '../core/upstream/registries.ts';

export interface Guest {
  /** The one that this host stands for. */
  readonly registry: string | undefined;
  /** How clients log in to that one. */
  readonly login: LoginMode | undefined;
  /** Nobody pulls without: such a guest may be anybody, and learns of no other registry. */
  readonly mustLogIn: boolean;
  readonly registries: readonly string[];
}

/** HTML. `host`: escaped. */
export function howToPull(guest: Guest, host: string): string {
  const { login: mode, mustLogIn } = guest;
  const registry = guest.registry === undefined ? undefined : escaped(guest.registry);
  const others = guest.registries.filter((name) => name !== guest.registry).map(escaped);
  const canPull = registry !== undefined && (mode !== undefined || !mustLogIn);
  // Daemons that use a mirror do not log in to it; an account's secret may stand in its address.
  const asMirror = mode !== 'own' || !mustLogIn;
  const loggingIn = registry && mode && login(registry, mode, mustLogIn, host);
  const parts = [
    mustLogIn && loggingIn,
    canPull && pull(registry, host),
    registry === 'docker.io' && asMirror && dockerMirror(mustLogIn, host),
    !mustLogIn && loggingIn,
    !mustLogIn && others.length > 0 && elsewhere(others, host),
    asMirror && containerd(mustLogIn, host),
    asMirror && mustLogIn && aboutSecret,
  ];
  return parts.filter(Boolean).join('\n');
}

const aboutSecret = `<p>In place of <code>SECRET</code> stands the secret of your account, as daemons do not log in to a mirror. Whoever knows it
pulls in your name.</p>`;

function login(registry: string, mode: LoginMode, mustLogIn: boolean, host: string): string {
  const whose =
    mode === 'own'
      ? `your name and password, or access token, of ${registry}. It is shown to ${registry} and kept nowhere`
      : 'the name and the secret of the account that the owner of this mirror gave you';
  return `<h2>${mustLogIn ? 'First, log in' : 'For private images, log in'}</h2>
<pre>docker login ${host}</pre>
<p>with ${whose}.</p>`;
}

function pull(registry: string, host: string): string {
  const image = registry === 'docker.io' ? 'alpine' : 'owner/image';
  return `<h2>Images of ${registry}</h2>
<pre>docker pull ${host}/${image}</pre>
<p>podman, skopeo, buildah and nerdctl take the same names, and logins.</p>`;
}

function dockerMirror(secret: boolean, host: string): string {
  const where = `${secret ? 'if this mirror has such names, ' : ''}in <code>/etc/docker/daemon.json</code>`;
  return `<p>Or for every pull from Docker Hub, ${where}:</p>
<pre>{ "registry-mirrors": ["${schemeOf(host)}://${secret ? 'SECRET.' : ''}${host}"] }</pre>`;
}

function elsewhere(registries: readonly string[], host: string): string {
  const example = registries.find((name) => !name.startsWith('*')) ?? 'registry.example.com';
  return `<h2>Other registries</h2>
<pre>docker pull ${host}/${example}/owner/image</pre>
<p>Here: ${registries.map((name) => `<code>${name}</code>`).join(', ')}.</p>`;
}

function containerd(secret: boolean, host: string): string {
  return `<h2>containerd, Kubernetes</h2>
<p>For all registries at once, <code>/etc/containerd/certs.d/_default/hosts.toml</code>:</p>
<pre>[host."${schemeOf(host)}://${host}${secret ? '/SECRET' : ''}"]
  capabilities = ["pull", "resolve"]</pre>`;
}

/** Only on its owner's own machine is a Worker without TLS. */
function schemeOf(host: string): 'http' | 'https' {
  return /^(?:localhost|127\.0\.0\.1)(?::|$)/.test(host) ? 'http' : 'https';
}
