import type { Activity, ActivityRange } from '@sluice/client/admin'
import { useEffect, useMemo } from 'preact/hooks'
import { toHref, useAddress } from '../../address.ts'
import { useLoad } from '../../hooks/use-load.ts'
import { hub } from '../../hub.ts'
import { Chart, type Series } from '../../ui/chart.tsx'
import { toCount, toSpan } from '../../ui/format.ts'
import { Broken } from '../../ui/states.tsx'

const ranges: readonly ActivityRange[] = ['hour', 'day', 'month']
const refreshMs = 60_000

/** The last hour, day or month; all charts show the same time. */
export function Charts() {
  const { query } = useAddress()
  const range = ranges.find((one) => one === query['range']) ?? 'hour'
  const loaded = useLoad(`activity ${range}`, (signal) => hub.getActivity({ range }, { signal }))
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && loaded.reload(), refreshMs)
    return () => clearInterval(timer)
  }, [])
  return (
    <section class="section" aria-label="Activity">
      <div class="section-head">
        <h2>Activity</h2>
        <nav class="switch" aria-label="Time range">
          {ranges.map((one) => (
            <a
              key={one}
              href={toHref([], { range: one === 'hour' ? undefined : one })}
              aria-current={one === range ? 'true' : undefined}
            >
              {one[0]?.toUpperCase() + one.slice(1)}
            </a>
          ))}
        </nav>
      </div>
      {loaded.failure && !loaded.value ? (
        <Broken failure={loaded.failure} retry={loaded.reload} />
      ) : (
        <Plots key={range} activity={loaded.value} />
      )}
    </section>
  )
}

const stepNames: Record<ActivityRange, string> = { hour: 'per minute', day: 'per 10 minutes', month: 'per 6 hours' }

const perSecond = (value: number): string =>
  value === 0 || value >= 10 ? toCount(value) : value.toFixed(value < 0.1 ? 2 : 1)

function Plots({ activity }: { readonly activity: Activity | undefined }) {
  const drawn = useMemo(() => activity && toDrawn(activity), [activity])
  if (!drawn)
    return (
      <div class="charts" aria-busy="true">
        {[1, 2, 3, 4].map((n) => (
          <div key={n} class="chart" style={{ height: '236px' }} />
        ))}
      </div>
    )
  const { times, published, acknowledged, waiting, leased, failed, dead, oldest } = drawn
  return (
    <div class="charts">
      <Chart title="Throughput" unit="per second" times={times} print={perSecond} series={[published, acknowledged]} />
      <Chart title="To be done" unit="events" times={times} print={toCount} series={[waiting, leased]} />
      <Chart
        title="Failed attempts"
        unit={stepNames[activity?.range ?? 'hour']}
        times={times}
        print={toCount}
        series={[failed, dead]}
      />
      <Chart
        title="Age of the oldest"
        unit="not done"
        times={times}
        print={(value) => toSpan(value)}
        series={[oldest]}
      />
    </div>
  )
}

type Point = Activity['points'][number]

function toDrawn({ from, to, step_seconds: step, points }: Activity) {
  const first = Date.parse(from) / 1000
  const last = Date.parse(to) / 1000
  const times = Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step)
  const byTime = new Map(points.map((point) => [Date.parse(point.at) / 1000, point]))
  const series = (name: string, tone: Series['tone'], of: (point: Point, seconds: number) => number | null): Series => {
    // The last step has only begun.
    const values = times.map((time) => {
      const point = byTime.get(time)
      return point ? of(point, Math.max(1, Math.min(step, last - time))) : null
    })
    return { name, tone, values }
  }
  return {
    times,
    published: series('published', 'accent', (point, seconds) => point.published / seconds),
    acknowledged: series('acknowledged', 'good', (point, seconds) => point.acknowledged / seconds),
    waiting: series('waiting', 'wait', (point) => point.waiting),
    leased: series('leased', 'flight', (point) => point.leased),
    failed: series('failed', 'wait', (point) => point.failed),
    dead: series('dead', 'bad', (point) => point.dead),
    oldest: series('oldest', 'accent', (point) => point.oldest_age_seconds),
  }
}
