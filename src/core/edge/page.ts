// The frame of a page for people, and in it the banner for those whose connection will not do for much longer.
import type { Notice } from './tls.ts';

export const pageType = 'text/html; charset=utf-8';

/** Nothing of the page comes from elsewhere, and nobody shows it as a part of his. */
export const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex, nofollow',
};

/** `body`: HTML. */
export function pageOf(body: string, notice: Notice | undefined): string {
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
aside { padding: .75rem 1rem; border-left: .4rem solid #d97706; background: color-mix(in srgb, #d97706 15%, transparent) }
footer { margin-top: 3rem; font-size: .85rem; opacity: .75 }
@media (max-width: 30rem) { body { margin: 1.5rem auto } }
</style>
${notice === undefined ? '' : banner(notice)}<h1>A mirror for container images</h1>
${body}
</html>
`;
}

function banner({ found, expected, sunset, link }: Notice): string {
  const when = sunset === undefined ? 'Soon' : `From <strong>${sunset}</strong> on`;
  const more = link === undefined ? '' : ` <a href="${escaped(link)}">What changes, and what to do</a>`;
  return `<aside role="note">
<p><strong>Your connection is out of date.</strong> This browser is connected by ${found}. ${when}, this mirror takes nothing but
${expected}, and whatever connects as this does now will fail.</p>
<p>Update this browser, or what stands between it and this mirror. Tools that pull from here by an old version need an update
too.${more}</p>
</aside>
`;
}

export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
}
