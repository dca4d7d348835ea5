import { partsOf, toEventText } from '../event.ts'
import { median, toFigure, toRatios, toSpread, toText } from '../figure.ts'
import { openHub, type Hub } from '../hub.ts'
import { pinLoad } from '../pin.ts'
import { alternate } from '../rounds.ts'
import type { Figure, Row } from '../row.ts'
import { fillLog, narrowEvery, narrowType } from '../store.ts'

const smallEvents = 1000
const pollsARound = 40
/** Published between two polls; one poll in a hundred finds an event. */
const newEvents = narrowEvery / 100
let counter = 3_000_000_000

export const narrowFilter: Row = {
  name: 'narrow-filter',
  title: 'Polling with a filter that wants one event in 100,000',
  run: async (context) => {
    const largeLog = await context.largeLog()
    const smallData = context.folder('hub-small')
    const first = await openHub({ data: smallData })
    await first.stop()
    await fillLog({ data: smallData, count: smallEvents })
    await using small = await openHub({ data: smallData, apiKey: first.apiKey })
    await using large = await openHub(largeLog)
    using _pinned = pinLoad()
    await catchUp(small)
    const passSeconds = await catchUp(large)
    const measured = await alternate(context, { small: () => measurePolls(small), large: () => measurePolls(large) })
    const ms = (side: readonly Polls[], kind: keyof Polls): number[] => side.map((polls) => polls[kind])
    const figure = (kind: keyof Polls, what: string): Figure =>
      toFigure({
        path: `narrow filter: ${what}`,
        against: `the same with ${toText(smallEvents)} events in the log`,
        unit: '×',
        rounds: toRatios(ms(measured.large, kind), ms(measured.small, kind)),
        bar: { must: 1.3, aim: 1.1, better: 'lower' },
        details: [
          `${toText(largeLog.events)} events ${toSpread(ms(measured.large, kind), 2)} ms a poll, ${toText(smallEvents)} events ${toSpread(ms(measured.small, kind), 2)} ms`,
          ...(kind === 'fresh'
            ? [`the one pass over the old log when the inbox was made: ${toText(passSeconds, 1)} s`]
            : []),
        ],
      })
    return [figure('fresh', `a poll after ${toText(newEvents)} new events`), figure('idle', 'a poll with nothing new')]
  },
}

type Polls = { readonly fresh: number; readonly idle: number }

type LeaseAnswer = { readonly lease_id: string; readonly events: readonly object[] }

const lease = (hub: Hub): Promise<LeaseAnswer> => hub.call('POST', '/v1/inboxes/narrow/lease', { limit: 100 })

/** Makes the inbox at the beginning of the log and takes what it wants from it. */
async function catchUp(hub: Hub): Promise<number> {
  const started = performance.now()
  await hub.call('PUT', '/v1/inboxes/narrow', { start: 'earliest', filter: { event_types: [narrowType] } })
  for (;;) {
    const { lease_id: leaseId, events } = await lease(hub)
    if (events.length === 0) return (performance.now() - started) / 1000
    await hub.call('POST', '/v1/inboxes/narrow/ack', { lease_id: leaseId })
  }
}

async function measurePolls(hub: Hub): Promise<Polls> {
  const fresh: number[] = []
  const idle: number[] = []
  for (let poll = 0; poll < pollsARound; poll += 1) {
    await hub.call('POST', '/v1/events/batch', { events: Array.from({ length: newEvents }, () => nextEvent()) })
    fresh.push(await timePoll(hub))
    idle.push(await timePoll(hub))
  }
  return { fresh: median(fresh), idle: median(idle) }
}

async function timePoll(hub: Hub): Promise<number> {
  const started = performance.now()
  const { lease_id: leaseId, events } = await lease(hub)
  const elapsed = performance.now() - started
  if (events.length > 0) await hub.call('POST', '/v1/inboxes/narrow/ack', { lease_id: leaseId })
  return elapsed
}

function nextEvent(): object {
  counter += 1
  const isNarrow = counter % narrowEvery === 0
  return {
    ...JSON.parse(toEventText(counter)),
    ...(isNarrow ? { event_type: narrowType } : { event_type: partsOf(counter).eventType }),
  }
}
