import { setTimeout as sleep } from 'node:timers/promises'
import { createSluice, type Sluice } from '@sluice/client'
import { percentile, toFigure, toSpread } from '../figure.ts'
import { openHub, type Hub } from '../hub.ts'
import { pinLoad } from '../pin.ts'
import type { Figure, Row } from '../row.ts'

/** Long enough for a worker to acknowledge and to wait again before the next event comes, with some jitter against what ticks. */
const pauseMs = 40
const jitterMs = 10
const eventsASecond = 50

export const latency: Row = {
  name: 'latency',
  title: 'Publish -> handler starts, idle hub',
  run: async (context) => {
    await using hub = await openHub({ data: context.folder('hub') })
    using _pinned = pinLoad()
    const events = context.seconds * eventsASecond
    const figures: Figure[] = []
    for (const door of ['long poll', 'stream'] as const) {
      const rounds: number[][] = []
      for (let round = 0; round <= context.rounds; round += 1) {
        context.say(`${door}, ${round === 0 ? 'warm-up' : `round ${round} of ${context.rounds}`}`)
        const waits = await measureRound({
          hub,
          door,
          inbox: `${door === 'stream' ? 'stream' : 'poll'}-${round}`,
          events,
        })
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
      `${rounds[0]?.length} events a round, ${pauseMs} to ${pauseMs + jitterMs} ms between one handled and the next sent; publisher and worker in one Node process; from the call of send to the start of the handler`,
    ],
  })
}

type Door = 'long poll' | 'stream'

type LatencyRound = { readonly hub: Hub; readonly door: Door; readonly inbox: string; readonly events: number }

/** Answers how long each event took to reach its handler, in ms. */
async function measureRound({ hub, door, inbox, events }: LatencyRound): Promise<number[]> {
  const sluice = createSluice({ baseUrl: hub.url, apiKey: hub.apiKey })
  await hub.call('PUT', `/v1/inboxes/${inbox}`, { start: 'latest' })
  const waits: number[] = []
  const ended = new AbortController()
  let handled = Promise.withResolvers<number>()
  const consumer = consume({ sluice, inbox, door, signal: ended.signal }, () => handled.resolve(performance.now()))
  // Long enough for the consumer to wait before the first event.
  await sleep(300)
  for (let n = 0; n < events; n += 1) {
    handled = Promise.withResolvers()
    const sent = performance.now()
    await sluice.events.send('bench.tick', { n })
    waits.push((await Promise.race([handled.promise, failLate(door)])) - sent)
    await sleep(pauseMs + Math.random() * jitterMs)
  }
  ended.abort()
  await consumer
  return waits
}

async function failLate(door: Door): Promise<never> {
  await sleep(10_000, undefined, { ref: false })
  throw new Error(`an event did not reach its handler within 10 s, ${door}`)
}

type Consumer = { readonly sluice: Sluice; readonly inbox: string; readonly door: Door; readonly signal: AbortSignal }

async function consume({ sluice, inbox, door, signal }: Consumer, onEvent: () => void): Promise<void> {
  if (door === 'long poll') {
    await sluice.inbox(inbox).work(onEvent, { signal })
    return
  }
  for await (const _streamed of sluice.inbox(inbox).stream({ signal })) onEvent()
}
