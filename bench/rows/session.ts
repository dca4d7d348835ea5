import { createSluice, type BatchOptions, type Sluice } from '@sluice/client'
import { defineTopics, withTopics } from '@sluice/client/topics'
import { toFigure, toRatios, toSpread } from '../figure.ts'
import { openHub } from '../hub.ts'
import { pinLoad } from '../pin.ts'
import { alternate } from '../rounds.ts'
import type { Row } from '../row.ts'

const count = 10_000

const topics = defineTopics({
  DefaultCategory: 'shop',
  Topics: [
    {
      Action: 'Placed',
      Entity: 'Order',
      Schema: {
        type: 'object',
        required: ['order_id', 'customer', 'lines'],
        properties: {
          order_id: { type: 'string' },
          customer: {
            type: 'object',
            required: ['email'],
            properties: { email: { type: 'string', format: 'email' }, name: { type: 'string' } },
          },
          lines: {
            type: 'array',
            items: {
              type: 'object',
              required: ['sku', 'quantity'],
              properties: {
                sku: { type: 'string' },
                quantity: { type: 'integer', minimum: 1 },
                text: { type: 'string' },
              },
            },
          },
        },
      },
    },
  ],
})

export const session: Row = {
  name: 'session',
  title: 'Session of 10,000 events',
  run: async (context) => {
    await using hub = await openHub({ data: context.folder('hub') })
    using _pinned = pinLoad()
    const sluice = createSluice({ baseUrl: hub.url, apiKey: hub.apiKey })
    const events = withTopics(sluice, topics, { service: 'bench' })
    const orders = Array.from({ length: count }, (_, n) => toOrder(n))
    const measured = await alternate(context, {
      session: () =>
        toRate(async () => {
          const session = events.userSession('user-1')
          for (const order of orders) session.placedOrder(order)
          return (await session.flush()).accepted
        }),
      batch: () => toRate(() => sendBatch(sluice, orders)),
      parts: () => toRate(() => sendBatch(sluice, orders, { maxEvents: 250 })),
    })
    const path = `publish and flush ${count} events of a session: checked, copied, 250 a request`
    const spread = `session ${toSpread(measured.session)} events/s`
    return [
      toFigure({
        path,
        against: 'sendBatch of the same events: unchecked, 1,000 a request',
        unit: '×',
        rounds: toRatios(measured.session, measured.batch),
        bar: { must: 0.8, aim: 0.9, better: 'higher' },
        details: [spread, `batch ${toSpread(measured.batch)} events/s`],
      }),
      toFigure({
        path,
        against: 'sendBatch of the same events: unchecked, 250 a request as well',
        unit: '×',
        rounds: toRatios(measured.session, measured.parts),
        details: [spread, `batch ${toSpread(measured.parts)} events/s`],
      }),
    ]
  },
}

async function sendBatch(sluice: Sluice, orders: readonly Order[], options?: BatchOptions): Promise<number> {
  const events = orders.map((payload) => ({ event_type: 'shop.OrderPlaced', payload, ...toMembers() }))
  return (await sluice.events.sendBatch(events, options)).accepted
}

async function toRate(run: () => Promise<number>): Promise<number> {
  const started = performance.now()
  const accepted = await run()
  if (accepted !== count) throw new Error(`${accepted} of ${count} events were accepted`)
  return (count / (performance.now() - started)) * 1000
}

/** What a session adds to each event. */
function toMembers() {
  return {
    source: 'bench',
    actor: { type: 'user', id: 'user-1' } as const,
    correlation_id: 'd3b07384-d9a0-4c9e-8f1e-0a1b2c3d4e5f',
    occurred_at: new Date().toISOString(),
    idempotency_key: crypto.randomUUID(),
  }
}

type Order = ReturnType<typeof toOrder>

/** About 1 KB, as the events of the other rows. */
function toOrder(n: number) {
  const text = 'in good order, to be left with the neighbours '.repeat(4)
  return {
    order_id: `order-${n}`,
    customer: { email: `customer-${n}@example.com`, name: 'A Customer' },
    lines: [1, 2, 3].map((line) => ({ sku: `sku-${n}-${line}`, quantity: line, text })),
  }
}
