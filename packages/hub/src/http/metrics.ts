import type { RouteName } from '@sluice/protocol'
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { Counts } from '../domain/counts.ts'
import type { SourceNotes } from '../domain/sources/notes.ts'
import type { Store } from '../store/store.ts'

type RequestNote = {
  /** undefined where no route was found */
  readonly route: RouteName | undefined
  readonly method: string
  readonly status: number
  readonly seconds: number
}

export type Metrics = {
  readonly note: (request: RequestNote) => void
  /** in the text format of Prometheus */
  readonly print: () => Promise<string>
}

type Tally = { readonly route: string; readonly method: string; readonly status: string; count: number }

/** Requests are counted in plain numbers and given to the library when somebody asks: its labels cost more than routing. */
export function createMetrics({
  store,
  counts,
  sourceNotes,
}: {
  readonly store: Pick<Store, 'stats'>
  readonly counts: Counts
  readonly sourceNotes: Pick<SourceNotes, 'totals'>
}): Metrics {
  const registry = new Registry()
  const tallies = new Map<string, Tally>()
  const seconds = new Histogram({
    name: 'sluice_http_request_seconds',
    help: 'time from the request to its answer, by route',
    labelNames: ['route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 20],
    registers: [registry],
  })
  addRequestCounter(registry, tallies)
  addCounts(registry, counts)
  addStoreGauges(registry, store)
  addSourceCounter(registry, sourceNotes)
  let defaults = false
  return {
    note: ({ route = 'none', method, status, seconds: taken }) => {
      const known = methodNames.has(method) ? method : 'other'
      const name = `${route} ${known} ${status}`
      const tally = tallies.get(name) ?? { route, method: known, status: `${Math.floor(status / 100)}xx`, count: 0 }
      tallies.set(name, tally)
      tally.count += 1
      seconds.observe({ route }, taken)
    },
    print: async () => {
      if (!defaults) collectDefaultMetrics({ register: registry })
      defaults = true
      return registry.metrics()
    },
  }
}

/** What a caller writes for a method must not make up new series. */
const methodNames = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

function addRequestCounter(registry: Registry, tallies: ReadonlyMap<string, Tally>): void {
  registry.registerMetric(
    new Counter({
      name: 'sluice_http_requests_total',
      help: 'requests answered, by route, method and class of status',
      labelNames: ['route', 'method', 'status'],
      registers: [],
      collect() {
        this.reset()
        for (const { route, method, status, count } of tallies.values()) this.inc({ route, method, status }, count)
      },
    }),
  )
}

function addCounts(registry: Registry, counts: Counts): void {
  const entries: readonly (readonly [keyof Counts, string, string])[] = [
    ['published', 'sluice_events_published_total', 'events stored'],
    ['duplicates', 'sluice_events_duplicate_total', 'events that were stored before under the same key'],
    [
      'warned',
      'sluice_events_warned_total',
      'events stored although their schema or their unknown type says otherwise',
    ],
    ['refused', 'sluice_events_refused_total', 'events refused for their schema or their unknown type'],
    ['quarantined', 'sluice_events_quarantined_total', 'events put into quarantine, repetitions included'],
    ['released', 'sluice_events_released_total', 'events released from quarantine'],
    ['leased', 'sluice_events_leased_total', 'events handed out, repetitions included'],
    ['acknowledged', 'sluice_events_acknowledged_total', 'events acknowledged'],
    ['unnotedRuns', 'sluice_runs_unnoted_total', 'runs that the store could not take note of, nor of their costs'],
  ]
  for (const [member, name, help] of entries) {
    registry.registerMetric(
      new Counter({
        name,
        help,
        registers: [],
        collect() {
          this.reset()
          this.inc(counts[member])
        },
      }),
    )
  }
}

/** By outcome alone: a label for each source would be as many series as anybody makes sources. */
function addSourceCounter(registry: Registry, { totals }: Pick<SourceNotes, 'totals'>): void {
  registry.registerMetric(
    new Counter({
      name: 'sluice_source_requests_total',
      help: 'webhooks from outside, by what became of them',
      labelNames: ['outcome'],
      registers: [],
      collect() {
        this.reset()
        for (const [outcome, count] of totals) this.inc({ outcome }, count)
      },
    }),
  )
}

function addStoreGauges(registry: Registry, store: Pick<Store, 'stats'>): void {
  registry.registerMetric(
    new Gauge({
      name: 'sluice_store_queue_events',
      help: 'writes that wait for their commit',
      registers: [],
      collect() {
        this.set(store.stats().queued)
      },
    }),
  )
  registry.registerMetric(
    new Counter({
      name: 'sluice_store_commits_total',
      help: 'groups committed',
      registers: [],
      collect() {
        this.reset()
        this.inc(store.stats().commits)
      },
    }),
  )
}
