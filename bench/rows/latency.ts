import { setTimeout as sleep } from 'node:timers/promises'
import { createSluice, type Sluice } from '@sluice/client'
import { percentile, toFigure, toSpread } from '../figure.ts'
import { openHub, type Hub } from '../hub.ts'
import { pinLoad } from '../pin.ts'
import type { Figure, Row } from '../row.ts'

const eventsARound = 200
/** Between events, so that the hub is idle when the next one comes; not a divisor of anything that ticks. */
const pauseMs = 7

export const latency: Row = {
  name: 'latency',
  title: 'Publish -> handler starts, idle hub',
  run: async (context) => {
    await using hub = await openHub({ data: context.folder('hub') })
    using _pinned = pinLoad()
    const figures: Figure[] = []
    for (const door of ['long poll', 'stream'] as const) {
      const rounds: number[][] = []
      for (let round = 0; round <= context.rounds; round += 1) {
        context.say(`${door}, ${round === 0 ? 'warm-up' : `round ${round} of ${context.rounds}`}`)
        const waits = await measureRound(hub, door, `${door === 'stream' ? 'stream' : 'poll'}-${round}`)
        if (round > 0) rounds.push(waits)
      }
      figures.push(toLatency(door, rounds))
    }
    return figures
  },
}

function toLatency(door: string, rounds: readonly number[][]): Figure {
  return toFigure({
    path: `publish -> handler starts, ${door}, p99`,
    against: 'bar',
    unit: 'ms',
    rounds: rounds.map((waits) => percentile(waits, 0.99)),
    bar: { must: 20, aim: 5, better: 'lower' },
    details: [
      `p50 ${toSpread(
        rounds.map((waits) => percentile(waits, 0.5)),
        2,
      )} ms, slowest ${toSpread(
        rounds.map((waits) => Math.max(...waits)),
        1,
      )} ms`,
      `${eventsARound} events a round, one every ${pauseMs} ms and more; publisher and worker in one Node process; from the call of send to the start of the handler`,
    ],
  })
}

async function measureRound(hub: Hub, door: 'long poll' | 'stream', inbox: string): Promise<number[]> {
  const sluice = createSluice({ baseUrl: hub.url, apiKey: hub.apiKey })
  await hub.call('PUT', `/v1/inboxes/${inbox}`, { start: 'latest' })
  const sent = new Map<number, number>()
  const waits: number[] = []
  const ended = new AbortController()
  const onEvent = (payload: Record<string, unknown>): void => {
    const at = sent.get(Number(payload['n']))
    if (at !== undefined) waits.push(performance.now() - at)
  }
  const consumer = consume({ sluice, inbox, door, signal: ended.signal }, onEvent)
  // Long enough for the consumer to wait before the first event.
  await sleep(300)
  for (let n = 0; n < eventsARound; n += 1) {
    sent.set(n, performance.now())
    await sluice.events.send('bench.tick', { n })
    await sleep(pauseMs)
  }
  for (let waited = 0; waits.length < eventsARound && waited < 100; waited += 1) await sleep(20)
  ended.abort()
  await consumer
  if (waits.length !== eventsARound)
    throw new Error(`${eventsARound} events were sent, ${waits.length} handled, ${door}`)
  return waits
}

type Consumer = {
  readonly sluice: Sluice
  readonly inbox: string
  readonly door: 'long poll' | 'stream'
  readonly signal: AbortSignal
}

async function consume(
  { sluice, inbox, door, signal }: Consumer,
  onEvent: (payload: Record<string, unknown>) => void,
): Promise<void> {
  if (door === 'long poll') {
    await sluice.inbox(inbox).work((event) => onEvent(event.payload), { signal })
    return
  }
  for await (const { event } of sluice.inbox(inbox).stream({ signal })) onEvent(event.payload)
}
