import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { createContext, type PollRecord } from '@sluice/sdk/integration'
import fc from 'fast-check'
import github from './integration.ts'
import { startGithub, type FakeGithub } from './src/testing.ts'

let fake: FakeGithub
before(async () => {
  fake = await startGithub()
})
after(() => fake[Symbol.asyncDispose]())

/** What may happen between polls: times stand still often, and a change may become visible later than younger ones. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('open' as const),
      count: fc.constantFrom(1, 1, 1, 2, 130),
      lag: fc.constantFrom(0, 0, 10, 30, 50),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      which: fc.nat(),
      lag: fc.constantFrom(0, 0, 10, 30, 50),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(1, 7, 20, 4000) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('poll' as const) }) },
)

type Pending = { readonly visible: number; readonly show: () => void }

const print = (seconds: number): string =>
  new Date(Date.UTC(2026, 2, 1) + seconds * 1000).toISOString().replace('.000', '')

async function poll(trigger: string, state: unknown): Promise<{ records: PollRecord[]; state: unknown }> {
  const context = createContext({ auth: { token: 'ghp_test', base_url: fake.url }, requestConfig: { max_retries: 0 } })
  const { type, result } = await github.executePollingTrigger(trigger, { owner: 'acme', repo: 'shop' }, context, {
    state,
  })
  assert.equal(type, 'polling_trigger', JSON.stringify(result))
  // As the hub keeps it.
  return JSON.parse(JSON.stringify(result)) as { records: PollRecord[]; state: unknown }
}

/** What is true of the issues, and what the fake GitHub shows of it by now. */
function createWorld() {
  const times = new Map<number, string>()
  const visibleAt = new Map<number, number>()
  let [now, pending]: [number, Pending[]] = [0, []]
  const settle = (): void => {
    for (const one of pending.filter(({ visible }) => visible <= now)) one.show()
    pending = pending.filter(({ visible }) => visible > now)
  }
  return {
    times,
    wait: (seconds: number): void => {
      now += seconds
    },
    settle,
    open: (lag: number): void => {
      const [number, at] = [times.size + 1, print(now)]
      times.set(number, at)
      visibleAt.set(number, now + lag)
      pending.push({ visible: now + lag, show: () => fake.put({ number, created_at: at, updated_at: at }) })
    },
    change: (which: number, lag: number): void => {
      if (times.size === 0) return
      const [number, at] = [1 + (which % times.size), print(now)]
      times.set(number, at)
      const show = (): void => {
        const known = fake.issues.find((issue) => issue.number === number)
        // What becomes visible after a younger change of the same issue is not seen at all.
        if (known && known.updated_at <= at) fake.put({ number, updated_at: at })
      }
      pending.push({ visible: Math.max(visibleAt.get(number) ?? 0, now + lag), show })
    },
  }
}

it('whatever happens between polls, each issue is new once, and each last change is handed out once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30, size: 'max' }), async (steps) => {
      fake.issues.length = 0
      const world = createWorld()
      const found: Record<string, string[]> = { new_issue: [], updated_issue: [] }
      const states: Record<string, unknown> = {}
      const pollAll = async (): Promise<void> => {
        world.settle()
        for (const [trigger, keys] of Object.entries(found)) {
          const { records, state } = await poll(trigger, states[trigger] ?? null)
          states[trigger] = state
          keys.push(...records.map(({ id, version }) => `${id}@${version ?? ''}`))
        }
      }
      await pollAll()
      for (const one of steps) {
        if (one.kind === 'wait') world.wait(one.seconds)
        if (one.kind === 'poll') await pollAll()
        if (one.kind === 'change') world.change(one.which, one.lag)
        for (let count = one.kind === 'open' ? one.count : 0; one.kind === 'open' && count > 0; count -= 1)
          world.open(one.lag)
      }
      world.wait(100)
      await pollAll()
      await pollAll()
      const { new_issue: created = [], updated_issue: changes = [] } = found
      const wanted = [...world.times.keys()].map((number) => `${1000 + number}@`)
      assert.deepEqual(created.toSorted(), wanted.toSorted())
      assert.equal(new Set(changes).size, changes.length)
      for (const [number, at] of world.times) assert.ok(changes.includes(`${1000 + number}@${at}`), `${number} ${at}`)
    }),
    { numRuns: 150 },
  )
})
