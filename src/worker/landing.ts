// The pages of a Worker for people: what this is, for whom, and how to pull. Nothing that could be taken for somebody else's.
import type { Reply } from '../core/mirror/reply.ts';
import { escaped, type Guest, howToPull } from './how-to-pull.ts';

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
export function landing(path: string, host: string, welcome: () => Welcome): Reply | undefined {
  if (path === '/robots.txt') return page(200, 'text/plain; charset=utf-8', 'User-agent: *\nDisallow: /\n');
  if (path !== '/') return undefined;
  const found = welcome();
  const status = found.kind === 'closed' || found.kind === 'wrong' ? 503 : 200;
  return page(status, 'text/html; charset=utf-8', html(bodyFor(found, host)));
}

function page(status: number, type: string, text: string): Reply {
  const bytes = new TextEncoder().encode(text);
  const headers = {
    'content-type': type,
    'content-length': String(bytes.length),
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-robots-tag': 'noindex, nofollow',
  };
  return { status, headers, body: { kind: 'bytes', bytes } };
}

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

function html(body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex, nofollow">
<title>A mirror for container images</title>
<style>
:root { color-scheme: light dark }
body { max-width: 44rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem } p { margin: .5rem 0 }
pre, code { font: .9rem/1.5 ui-monospace, monospace }
pre { margin: .5rem 0; padding: .75rem 1rem; overflow-x: auto; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .4rem }
footer { margin-top: 3rem; font-size: .85rem; opacity: .75 }
@media (max-width: 30rem) { body { margin: 1.5rem auto } }
</style>
<h1>A mirror for container images</h1>
<p>This is a private <strong>sampan</strong>: it fetches images from registries for tools that cannot reach them.
It is no registry of its own, and belongs to none.</p>
${body}
<footer>Read-only. It asks for no passwords on this page.</footer>
</html>
`;
}
