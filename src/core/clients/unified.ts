// The difference of two texts as people are used to read it: a unified diff.

interface Step {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

const context = 3;

/** undefined stands for a file that is not there. Empty if both are the same. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return '';
  const steps = stepsBetween(linesOf(before), linesOf(after));
  const name = (text: string | undefined) => (text === undefined ? '/dev/null' : path);
  return [`--- ${name(before)}`, `+++ ${name(after)}`, ...hunksOf(steps)].join('\n') + '\n';
}

/** Each with the end that it has, so that a missing last newline is a difference. */
function linesOf(text = ''): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function stepsBetween(before: readonly string[], after: readonly string[]): Step[] {
  const lengths = commonLengths(before, after);
  const steps: Step[] = [];
  let [at, to] = [0, 0];
  while (at < before.length || to < after.length) {
    const [old, young] = [before[at], after[to]];
    if (old !== undefined && old === young) {
      steps.push({ mark: ' ', line: old });
      at++;
      to++;
    } else if (old !== undefined && (young === undefined || length(at + 1, to) >= length(at, to + 1))) {
      steps.push({ mark: '-', line: old });
      at++;
    } else {
      steps.push({ mark: '+', line: young ?? '' });
      to++;
    }
  }
  return steps;

  function length(from: number, until: number): number {
    return lengths[from]?.[until] ?? 0;
  }
}

/** How many lines the ends of both have in common, from each pair of places on. Quadratic: these are files that people write. */
function commonLengths(before: readonly string[], after: readonly string[]): number[][] {
  const lengths = Array.from({ length: before.length + 1 }, () => [] as number[]);
  for (let at = before.length - 1; at >= 0; at--) {
    const [row, below] = [lengths[at] ?? [], lengths[at + 1] ?? []];
    for (let to = after.length - 1; to >= 0; to--) {
      row[to] = before[at] === after[to] ? (below[to + 1] ?? 0) + 1 : Math.max(below[to] ?? 0, row[to + 1] ?? 0);
    }
  }
  return lengths;
}

function hunksOf(steps: readonly Step[]): string[] {
  const near = steps.map((_, at) => steps.slice(Math.max(0, at - context), at + context + 1).some(isChange));
  const lines: string[] = [];
  for (let at = near.indexOf(true), end = 0; at >= 0; at = near.indexOf(true, end)) {
    const gap = near.indexOf(false, at);
    end = gap < 0 ? steps.length : gap;
    lines.push(headOf(steps, at, end), ...steps.slice(at, end).map(print));
  }
  return lines;
}

function isChange({ mark }: Step): boolean {
  return mark !== ' ';
}

function headOf(steps: readonly Step[], at: number, end: number): string {
  const span = (other: Step['mark']) => {
    const count = (from: number, to: number) => steps.slice(from, to).filter(({ mark }) => mark !== other).length;
    const [above, lines] = [count(0, at), count(at, end)];
    return `${lines === 0 ? above : above + 1},${lines}`;
  };
  return `@@ -${span('+')} +${span('-')} @@`;
}

function print({ mark, line }: Step): string {
  return line.endsWith('\n') ? mark + line.slice(0, -1) : `${mark}${line}\n\\ No newline at end of file`;
}
