// The pages of a Worker for people: what this is, for whom, and how to pull. Nothing that could be taken for somebody else's.
import { escaped, pageHeaders, pageOf, pageType } from '../core/edge/page.ts';
import type { Notice } from '../core/edge/tls.ts';
import type { Reply } from '../core/mirror/reply.ts';
import { type Guest, howToPull } from './how-to-pull.ts';

/** What the page may say to whoever asks. */
export type Welcome =
  /** Nobody may pull yet. */
  | { readonly kind: 'closed' }
  /** The configuration has an error. */
  | { readonly kind: 'wrong' }
  /** This caller may not pull, and learns nothing. */
  | { readonly kind: 'stranger' }
  | { readonly kind: 'guest'; readonly guest: Guest };

/** undefined: the path is the registry API's. `host`: without a secret. */
export function landing(
  path: string,
  host: string,
  welcome: () => Welcome,
  notice: Notice | undefined,
): Reply | undefined {
  if (path === '/robots.txt') return page(200, 'User-agent: *\nDisallow: /\n', 'text/plain; charset=utf-8');
  if (path !== '/') return undefined;
  const found = welcome();
  const status = found.kind === 'closed' || found.kind === 'wrong' ? 503 : 200;
  return page(status, pageOf(`${intro}\n${bodyFor(found, host)}\n${footer}`, notice));
}

function page(status: number, text: string, type = pageType): Reply {
  const bytes = new TextEncoder().encode(text);
  const headers = { ...pageHeaders, 'content-type': type, 'content-length': String(bytes.length) };
  return { status, headers, body: { kind: 'bytes', bytes } };
}

const intro = `<p>This is a private <strong>sampan</strong>: it fetches images from registries for tools that cannot reach them.
It is no registry of its own, and belongs to none.</p>`;

const footer = '<footer>Read-only. It asks for no passwords on this page.</footer>';

function bodyFor(welcome: Welcome, host: string): string {
  switch (welcome.kind) {
    case 'closed':
      return closed;
    case 'wrong':
      return `<p>The configuration of this mirror has an error, so it serves nothing. Its owner reads what is wrong with</p>
<pre>npx wrangler tail</pre>
<p>and puts <code>SAMPAN_CONFIG</code> right; <code>docs/worker.md</code> says how.</p>`;
    case 'stranger':
      return '<p>It serves the people whom its owner lets in, and your address is not one of theirs.</p>';
    case 'guest':
      return howToPull(welcome.guest, escaped(host));
  }
}

const closed = `<p>It is closed: nobody has said yet who may pull through it. If it is yours, put one of these into a file,</p>
<pre>{ "access": { "networks": ["203.0.113.0/24"] } }</pre>
<p>with the networks that your own requests come from, or, if whoever knows the address may pull and use up your account's limits,</p>
<pre>{ "access": "open" }</pre>
<p>and give it to the Worker:</p>
<pre>npx wrangler secret put SAMPAN_CONFIG &lt; sampan.json</pre>
<p>Accounts for people whose networks you do not know: <code>docs/login.md</code>.</p>`;
