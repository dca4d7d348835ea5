import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { inboxDefaults } from '@sluice/protocol'
import fc from 'fast-check'
import { candidates, createModel, type ModelSettings } from './contract/model.ts'
import { checkWorld, type World } from './contract/model-check.ts'
import { runStep, step, type Step } from './contract/model-steps.ts'
import { createStage, followStore, type OpenStore, type OpenedStore } from './contract/stage.ts'

const settings: Readonly<Record<string, ModelSettings>> = {
  'in the order of the log': { ordering: 'none', onDead: 'continue', maxAttempts: 3 },
  'in the order of each subject': { ordering: 'key', onDead: 'continue', maxAttempts: 3 },
  'in the order of each subject, held back by dead letters': { ordering: 'key', onDead: 'block', maxAttempts: 2 },
}

/** Enough to shorten a history that fails; what takes longer is reported as it is then. */
const timeLimitMs = 120_000

type ModelOptions = { readonly runs: number; readonly seed?: number; readonly skip?: string | false }

/**
 * Random histories of one inbox: after each step the store must agree with a small model about every event, and in the end
 * nothing may be left. A failure prints the shortest history that fast-check found, with its seed.
 *
 * @param runs histories for each kind of inbox
 * @param seed the same histories each time; left out, new ones
 */
export function storeModel(name: string, open: OpenStore, { runs, seed, skip = false }: ModelOptions): void {
  void describe(`${name}: random histories`, { skip }, () => {
    let opened: OpenedStore
    let count = 0
    before(async () => {
      opened = followStore(await open())
    })
    after(() => opened.close())
    for (const [kind, of] of Object.entries(settings)) {
      void it(kind, async () => {
        const history = fc.array(step, { minLength: 1, maxLength: 50, size: 'max' })
        const property = fc.asyncProperty(history, (steps) => play(opened, { key: `model-${(count += 1)}`, of, steps }))
        await fc.assert(property, {
          numRuns: runs,
          interruptAfterTimeLimit: timeLimitMs,
          ...(seed !== undefined && { seed }),
        })
      })
    }
  })
}

type History = { readonly key: string; readonly of: ModelSettings; readonly steps: readonly Step[] }

async function play(opened: OpenedStore, { key, of, steps }: History): Promise<void> {
  const stage = await createStage(opened, key)
  const world: World = { stage, model: createModel(of), log: [] }
  await stage.makeInbox({
    filter: { event_types: ['wanted'] },
    ordering: of.ordering,
    on_dead: of.onDead,
    max_attempts: of.maxAttempts,
    retry: inboxDefaults.retry,
  })
  try {
    for (const todo of [...steps, ...ending]) {
      world.log.push(JSON.stringify(todo))
      await runStep(world, todo)
      await checkWorld(world)
    }
    await drain(world)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${message}\nafter\n${world.log.join('\n')}`, { cause })
  }
  await stage.store.deleteWorkspace(key)
}

/** Whatever is still out or held back comes back now. */
const ending: readonly Step[] = [
  { do: 'resume' },
  { do: 'advance', ms: 12_007, sweep: true },
  { do: 'dead-letters', action: 'discard' },
]

/** Nothing may be left: what was published is acknowledged, dead, filtered out or passed by a seek. */
async function drain(world: World): Promise<void> {
  const { model, stage } = world
  for (let round = 0; round < 1000; round += 1) {
    const { plain, halves, fresh } = candidates(model, stage.store.nowMs())
    if (plain.length + halves.size + fresh.length === 0) break
    await runStep(world, { do: 'lease', limit: 6 })
    await runStep(world, { do: 'ack', lease: 0, pick: null })
  }
  await checkWorld(world)
  const left = [...model.events].filter(
    ([, { place, wanted }]) => place.at === 'back' || place.at === 'leased' || (place.at === 'new' && wanted),
  )
  assert.deepEqual(left, [])
}
