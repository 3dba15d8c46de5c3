import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { formatSize } from '../base/format.ts';
import { language } from '../base/i18n.ts';
import { dark } from '../base/theme.ts';
import { lonely, summaryOf, type Values } from './chart-values.ts';
import { formatMs } from './time-span.ts';

export interface ChartLine {
  readonly label: string;
  readonly values: Values;
}

interface ChartProps {
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly unit: 'count' | 'bytes' | 'percent' | 'ms';
  /** They are as many at each time, and not so many more. */
  readonly measured?: boolean;
}

const HEIGHT = 200;
/** Told apart on light and dark grounds, and by those who see few colours. */
const LIGHT = ['#1f6f5c', '#a8480f', '#1d5f96', '#9c2f5f', '#6b6b00', '#5d3fa0'] as const;
const DARK = ['#5cc2a6', '#f0955c', '#86bdf0', '#f08fbb', '#d6d25c', '#b7a2f2'] as const;

/** Lines over time, drawn by uPlot, which is fetched with the first of them; a table of the same for screen readers. */
export function Chart({ title, times, lines, unit, measured = unit !== 'count' }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const colours = dark.value ? DARK : LIGHT;
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    let plot: uPlot | undefined;
    let gone = false;
    void Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([{ default: UPlot }]) => {
      if (gone) return;
      const data = [times.map((time) => time / 1000), ...lines.map(({ values }) => [...values])];
      plot = new UPlot(optionsOf(element, lines, unit, colours), data as uPlot.AlignedData, element);
    });
    const sizes = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height: HEIGHT }));
    sizes.observe(element);
    return () => {
      gone = true;
      sizes.disconnect();
      plot?.destroy();
    };
  }, [times, lines, dark.value, language.value]);
  return (
    <figure class="admin-chart">
      <figcaption>
        <h2>{title}</h2>
        <ul class="admin-legend">
          {lines.map(({ label, values }, index) => (
            <li key={label}>
              <i style={{ background: colours[index % colours.length] ?? colours[0] }} />
              {label} <strong>{summary(values, unit, measured)}</strong>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} class="admin-chart-body" aria-hidden="true" dir="ltr" />
    </figure>
  );
}

function summary(values: Values, unit: ChartProps['unit'], measured: boolean): string {
  const value = summaryOf(values, !measured);
  return value === undefined ? '–' : valueWords(value, unit);
}

function valueWords(value: number, unit: ChartProps['unit']): string {
  switch (unit) {
    case 'bytes':
      return formatSize(value);
    case 'ms':
      return formatMs(value);
    case 'percent':
      return `${Math.round(value)} %`;
    default:
      return new Intl.NumberFormat(language.value, { maximumFractionDigits: 1 }).format(value);
  }
}

/** Ticks of the axis of time, in seconds: the time within a day or two, else the day. */
function timeWords(ticks: readonly number[]): string[] {
  const [first = 0, second = first] = ticks;
  const options: Intl.DateTimeFormatOptions =
    second - first < 86_400 ? { hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'short' };
  // With the region that the browser names: hours are counted to 12 or to 24 by it.
  const tags = [...navigator.languages.filter((tag) => tag.startsWith(language.value)), language.value];
  const hours = new Intl.DateTimeFormat(tags, options);
  const days = new Intl.DateTimeFormat(tags, { day: 'numeric', month: 'short' });
  const isMidnight = (tick: number): boolean => new Date(tick * 1000).getHours() === 0;
  return ticks.map((tick) =>
    (second - first < 86_400 && isMidnight(tick) && second - first >= 3600 ? days : hours).format(
      tick * 1000,
    ),
  );
}

/** Steps of an axis that counts. */
const WHOLE = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

function optionsOf(
  element: HTMLElement,
  lines: readonly ChartLine[],
  unit: ChartProps['unit'],
  colours: readonly string[],
): uPlot.Options {
  const style = getComputedStyle(element);
  const ink = style.getPropertyValue('--text-soft').trim();
  const grid = style.getPropertyValue('--line').trim();
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    cursor: { y: false },
    legend: { show: false },
    scales: { y: { range: (_plot, _least, most) => [0, Math.max(most, 1)] } },
    axes: [
      // Days and hours as they are written where the reader is, not as the library has them.
      { ...axis, space: 70, values: (_plot, ticks) => timeWords(ticks) },
      {
        ...axis,
        size: 64,
        // There is no half a message.
        ...(unit === 'count' && { incrs: WHOLE }),
        values: (_plot, ticks) =>
          ticks.map((tick) => (unit === 'ms' ? formatMs(tick, 'narrow') : valueWords(tick, unit))),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, values }, index) => ({
        label,
        stroke: colours[index % colours.length] ?? '#1f6f5c',
        width: 1.6,
        points: { show: true, size: 5, filter: () => lonely(values) },
        spanGaps: false,
      })),
    ],
  };
}
