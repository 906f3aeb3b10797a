// One chart as SVG: a bar for each server, figure by figure, for pages of any colour.
import { type Figure, median } from '../figures.ts';
import { short } from '../table.ts';

const [width, left, room, row, gap] = [760, 110, 110, 22, 34];

/** Undefined if nothing was measured. */
export function chartOf(figures: readonly Figure[]): string | undefined {
  const parts: string[] = [];
  let y = 0;
  for (const figure of figures) {
    const bars = Object.entries(figure.columns).flatMap(([server, { samples }]) => {
      const value = median(samples);
      return value === undefined ? [] : [{ server, value }];
    });
    if (bars.length === 0) continue;
    const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
    y += gap;
    parts.push(`<text x="0" y="${y - 9}" class="name">${escaped(`${figure.name}, ${figure.unit}`)}</text>`);
    for (const { server, value } of bars) {
      const length = Math.max(1, (value / most) * (width - left - room));
      parts.push(
        `<text x="${left - 8}" y="${y + 15}" text-anchor="end">${escaped(server)}</text>`,
        `<rect x="${left}" y="${y + 2}" width="${length.toFixed(1)}" height="${row - 4}"${server === 'sampan' ? ' class="own"' : ''}/>`,
        `<text x="${(left + length + 6).toFixed(1)}" y="${y + 15}">${short(value)}</text>`,
      );
      y += row;
    }
  }
  if (parts.length === 0) return undefined;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 10}" font-family="sans-serif" font-size="13">
<style>
text { fill: #333 } .name { font-weight: bold } rect { fill: #9aa5b1 } .own { fill: #0b7285 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } rect { fill: #6b7680 } .own { fill: #3bc9db } }
</style>
${parts.join('\n')}
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
