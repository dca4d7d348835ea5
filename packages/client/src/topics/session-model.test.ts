import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSluice } from '../client.ts'
import type { Transport } from '../transport.ts'
import { FlushError } from './error.ts'
import { withTopics } from './sessions.ts'
import { defineTopics } from './topics.ts'

const topics = defineTopics({ DefaultCategory: 'a', Topics: [{ Action: 'Done', Entity: 'Work', Schema: {} }] })

type Fate = 'good' | 'lost' | 'down' | 'partly'

/** Stores by idempotency key, and answers as it is told. */
function createHub(fates: Fate[]) {
  const stored = new Map<string, number>()
  const transport: Transport = async ({ body = '' }) => {
    const fate = fates.shift() ?? 'good'
    const lines = body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const results = lines.map(({ idempotency_key: key, payload }, index) => {
      if (fate === 'down') return undefined
      if (fate === 'partly' && index % 2 === 1) return { index, error: { error_code: 'internal', message: 'a bug' } }
      const status = stored.has(key) ? 'duplicate' : 'accepted'
      if (status === 'accepted') stored.set(key, payload.n)
      return { index, event_id: key, timestamp: '', status }
    })
    if (fate === 'lost') throw new Error('socket hang up')
    const text = JSON.stringify({ accepted: 0, failed: 0, results })
    return { status: fate === 'down' ? 503 : 200, header: () => null, text: async () => text, stream: () => null }
  }
  return { stored, transport }
}

const step = fc.oneof(
  { weight: 5, arbitrary: fc.constant('publish' as const) },
  { weight: 3, arbitrary: fc.constant('flush' as const) },
  fc.constant('rollback' as const),
  fc.constant('flush twice at once' as const),
)

test('whatever fails and in whatever order: each event is stored once, or dropped by a rollback that counted it', async () => {
  const fate = fc.constantFrom<Fate>('good', 'lost', 'down', 'partly')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.array(fate, { maxLength: 25 }), async (steps, fates) => {
      const { stored, transport } = createHub(fates)
      const sluice = createSluice({ transport, maxRetries: 1, random: () => 0 })
      const session = withTopics(sluice, topics, { service: 'tests' }).serviceSession()
      let published = 0
      let accepted = 0
      let dropped = 0
      const flush = async (): Promise<void> => {
        const outcome = await session.flush().catch((error: unknown) => {
          if (error instanceof FlushError) return error
          throw error
        })
        accepted += outcome.accepted
      }
      for (const name of [...steps, 'flush' as const]) {
        if (name === 'publish') session.doneWork({ n: (published += 1) })
        else if (name === 'rollback') dropped += session.rollback()
        else await Promise.all([flush(), ...(name === 'flush' ? [] : [flush()])])
        assert.equal(session.events.length, published - accepted - dropped)
      }
      fates.length = 0
      await flush()
      assert.equal(session.events.length, 0)
      assert.equal(accepted + dropped, published)
      assert.equal(new Set(stored.values()).size, stored.size)
      // An answer that was lost leaves events both in the hub and in the session, until a rollback drops them there.
      assert.ok(stored.size >= accepted && stored.size <= published)
    }),
    { numRuns: 300 },
  )
})
