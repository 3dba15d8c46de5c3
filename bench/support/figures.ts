/** Figures of several rounds, and how they are shown. */
export interface Row {
  readonly cell: string;
  readonly figure: string;
  readonly unit: string;
  /** Whether a larger figure is the better one: decides which way the ratio is read. */
  readonly more: boolean;
  /** By system, one figure a round. */
  readonly values: Map<string, number[]>;
}

export class Figures {
  readonly rows: Row[] = [];

  add(system: string, cell: string, figure: string, unit: string, more: boolean, value: number): void {
    let row = this.rows.find((each) => each.cell === cell && each.figure === figure);
    if (row === undefined) {
      row = { cell, figure, unit, more, values: new Map() };
      this.rows.push(row);
    }
    row.values.set(system, [...(row.values.get(system) ?? []), value]);
  }

  /** A Markdown table: min / median / max of the rounds, and how many times better the first system's median is. */
  table(systems: readonly string[]): string {
    const lines = [
      `| what | unit | ${systems.join(' | ')} | ratio |`,
      `|---|---|${systems.map(() => '---:|').join('')}---:|`,
    ];
    for (const row of this.rows) {
      const cells = systems.map((name) => spread(row.values.get(name) ?? []));
      lines.push(
        `| ${row.cell}: ${row.figure} | ${row.unit} | ${cells.join(' | ')} | ${ratio(row, systems)} |`,
      );
    }
    return lines.join('\n');
  }
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return '–';
  if (values.length === 1) return text(values[0] ?? 0);
  return [Math.min(...values), median(values), Math.max(...values)].map(text).join(' / ');
}

function ratio(row: Row, [first = '', second = '']: readonly string[]): string {
  const one = row.values.get(first) ?? [];
  const two = row.values.get(second) ?? [];
  if (one.length === 0 || two.length === 0) return '–';
  const value = row.more ? median(one) / median(two) : median(two) / median(one);
  return `${value.toFixed(2)}×`;
}

/** Three significant digits, without exponents. */
function text(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
