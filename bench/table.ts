// One table for people: a line a figure, a column a server, how sampan compares, and what it is to reach.
import { type Column, type Figure, type Goal, median, type Verdict, verdictsOn } from './figures.ts';

export function tableOf(figures: readonly Figure[]): string {
  const servers = [...new Set(figures.flatMap((figure) => Object.keys(figure.columns)))];
  const head = ['', ...servers, 'sampan to', 'goal', 'met'];
  const rows = figures.map((figure) => {
    const verdicts = verdictsOn(figure);
    const compared = listed(verdicts, ({ against, ratio }) => ratio !== undefined && `${against} × ${short(ratio)}`);
    const goals = listed(verdicts, ({ goal }) => goal !== undefined && told(goal));
    const reached = listed(verdicts, ({ met }) => met !== undefined && (met ? 'yes' : 'NO'));
    const cells = servers.map((server) => cell(figure.columns[server]));
    return [`${figure.name}, ${figure.unit}`, ...cells, compared, goals, reached];
  });
  const rule = head.map(() => '---');
  return aligned([head, rule, ...rows]);
}

/** The median, and how many of all it is of if some failed. */
function cell(column: Column | undefined): string {
  if (column === undefined) return '';
  const { samples, failed } = column;
  if (samples.length === 0 && failed.length === 0) return '';
  const middle = median(samples);
  if (middle === undefined) return `failed ${failed.length} of ${failed.length}`;
  const some = failed.length === 0 ? '' : ` (failed ${failed.length} of ${failed.length + samples.length})`;
  return short(middle) + some;
}

function listed(verdicts: readonly Verdict[], tell: (verdict: Verdict) => string | false): string {
  return verdicts
    .map(tell)
    .filter((text) => text !== false)
    .join(', ');
}

function told(goal: Goal): string {
  const bound = 'most' in goal ? '≤' : '≥';
  return `${bound} ${{ value: '', ratio: '× ', difference: '+ ' }[goal.of]}${short('most' in goal ? goal.most : goal.least)}`;
}

/** Three digits say all that a measurement knows. */
export function short(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 || value === 0 ? 0 : size >= 10 ? 1 : 2);
}

/** Markdown, that is readable as it is. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join(' | ');
  return rows.map((row) => `| ${line(row)} |`).join('\n');
}
