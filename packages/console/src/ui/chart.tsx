import { useEffect, useRef, useState } from 'preact/hooks'
import type uPlot from 'uplot'

export type Series = {
  readonly name: string
  /** a colour of `style/tokens.css` that says what state this is */
  readonly tone: 'accent' | 'good' | 'flight' | 'wait' | 'bad'
  /** null is a gap: nothing is known of that step */
  readonly values: readonly (number | null)[]
}

type Props = {
  readonly title: string
  readonly unit: string
  /** in seconds since 1970, evenly apart */
  readonly times: readonly number[]
  readonly series: readonly Series[]
  readonly print: (value: number) => string
}

const height = 168

/** One of several charts over the same time: what is pointed at or zoomed in one is so in all. */
export function Chart({ title, unit, times, series, print }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState<number>()
  const isEmpty = series.every(({ values }) => values.every((value) => value === null))
  usePlot(place, { times, series, print, onPoint: setAt })
  const shown = at ?? times.length - 1
  return (
    <figure class="chart">
      <figcaption>
        <h3>
          {title} <span class="faint">{unit}</span>
        </h3>
        <span class="legend">
          {series.map(({ name, tone, values }) => (
            <span key={name}>
              <i class={`swatch ${tone}`} aria-hidden="true" /> {name}{' '}
              <b class="number">{typeof values[shown] === 'number' ? print(values[shown]) : '–'}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div
        ref={place}
        class="plot"
        role="img"
        aria-label={toSentence(title, unit, series, print)}
        style={{ height: `${height}px` }}
      >
        {isEmpty && <p class="soft small">Nothing is known of this time yet: it is noted by the minute from now on.</p>}
      </div>
    </figure>
  )
}

/** For whoever does not see it. */
function toSentence(title: string, unit: string, series: readonly Series[], print: (value: number) => string): string {
  const parts = series.map(({ name, values }) => {
    const known = values.filter((value) => value !== null)
    return known.length === 0
      ? `${name}: nothing`
      : `${name}: at most ${print(Math.max(...known))}, at last ${print(known.at(-1) ?? 0)}`
  })
  return `${title}, ${unit}. ${parts.join('. ')}`
}

type Plotting = Pick<Props, 'times' | 'series' | 'print'> & { readonly onPoint: (at: number | undefined) => void }

function usePlot(place: { readonly current: HTMLDivElement | null }, plotting: Plotting): void {
  const plot = useRef<uPlot | undefined>(undefined)
  const latest = useRef(plotting)
  latest.current = plotting
  useEffect(() => {
    let isGone = false
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const draw = async (): Promise<void> => {
      const { default: UPlot } = await import('uplot')
      if (isGone || !place.current) return
      plot.current?.destroy()
      plot.current = new UPlot(toOptions(place.current, latest.current), toData(latest.current), place.current)
    }
    const resize = new ResizeObserver(([entry]) => {
      if (entry) plot.current?.setSize({ width: Math.floor(entry.contentRect.width), height })
    })
    const themes = new MutationObserver(() => void draw())
    if (place.current) resize.observe(place.current)
    themes.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    dark.addEventListener('change', draw)
    void draw()
    return () => {
      isGone = true
      resize.disconnect()
      themes.disconnect()
      dark.removeEventListener('change', draw)
      plot.current?.destroy()
    }
  }, [])
  useEffect(() => plot.current?.setData(toData(plotting)), [plotting.times, plotting.series])
}

const toData = ({ times, series }: Plotting): uPlot.AlignedData => [
  [...times],
  ...series.map(({ values }) => [...values]),
]

/** The plot is drawn, and knows no variables: they are looked up. */
function readColour(element: HTMLElement, name: string): string {
  element.style.color = `var(--${name})`
  const { color } = getComputedStyle(element)
  element.style.color = ''
  return color
}

function toOptions(element: HTMLElement, { series, print, onPoint }: Plotting): uPlot.Options {
  const faint = readColour(element, 'text-faint')
  const line = readColour(element, 'line')
  const axis: uPlot.Axis = {
    stroke: faint,
    font: '11px system-ui',
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
  }
  return {
    width: Math.floor(element.clientWidth),
    height,
    legend: { show: false },
    cursor: { sync: { key: 'time' }, y: false, drag: { x: true, y: false }, points: { size: 6 } },
    scales: { y: { range: (_, _low, high) => [0, Math.max(1, high * 1.1)] } },
    padding: [10, 12, 0, 0],
    axes: [
      { ...axis, size: 30, space: 64, grid: { show: false }, values: (plot, values) => toTimes(plot, values) },
      { ...axis, size: 46, values: (_, values) => values.map((value) => print(value)) },
    ],
    series: [
      {},
      ...series.map(({ name, tone }, index): uPlot.Series => {
        const stroke = readColour(element, tone)
        const fill = index === 0 ? stroke.replace('rgb(', 'rgba(').replace(')', ', 0.09)') : ''
        return { label: name, stroke, width: 1.5, points: { show: false }, ...(fill && { fill }) }
      }),
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? undefined)] },
  }
}

const hours = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const days = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })

/** Times of day, and days where there are several. */
function toTimes({ scales }: uPlot, values: readonly number[]): string[] {
  const { min = 0, max = 0 } = scales['x'] ?? {}
  const format = (max ?? 0) - (min ?? 0) > 2 * 86_400 ? days : hours
  return values.map((value) => format.format(value * 1000))
}
