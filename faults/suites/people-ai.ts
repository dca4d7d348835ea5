import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPeopleAi, testCredentials } from '@sluice/people-ai/testing'
import { diffDuckDb } from '@sluice/sdk/sync'
import { createRandom, type Random } from '../load/random.ts'
import { endWithThisProcess } from '../../scripts/hub-process.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * A sync of People.ai into DuckDB that is killed at an operation, or at a random instant, and started again until it succeeds;
 * its service refuses tokens, cuts connections and fails meanwhile. In the end the tables must be those of a sync that nothing
 * has happened to. Each round is a kill.
 */
export const peopleAi: Suite = {
  name: 'people-ai',
  what: 'kill -9 of a connector at its operations, with a service that fails',
  stores: ['sqlite'],
  rounds: { ci: 12, alone: 100 },
  run,
}

type Stage = {
  readonly folder: string
  readonly configuration: string
  readonly random: Random
  /** operations of a sync that nothing happens to */
  operations: number
  kills: number
  syncs: number
  readonly killedAt: Set<number>
}

async function run({ rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-people-ai-'))
  // A token is good for a few pages only.
  await using service = await startPeopleAi({ rows: toRows(), requestsOfToken: 5 })
  try {
    const configuration = join(folder, 'configuration.json')
    writeFileSync(configuration, JSON.stringify({ ...testCredentials, base_url: service.url, page_size: '7' }))
    const stage: Stage = {
      folder,
      configuration,
      random: createRandom(seed),
      operations: 0,
      kills: 0,
      syncs: 0,
      killedAt: new Set(),
    }
    const calm = await runSync(stage, { output: 'calm' })
    if (calm.code !== 0) throw new Error(`the sync that nothing happens to failed: ${calm.said}`)
    stage.operations = countOperations(calm.said)
    const violations: string[] = []
    while (stage.kills < rounds) {
      violations.push(...(await killAndCompare(stage)))
      if (stage.syncs % 10 === 0) tell(`${stage.kills} of ${rounds} kills, ${stage.syncs} syncs completed`)
    }
    const { kills, syncs, killedAt, operations } = stage
    return {
      summary: `killed ${kills} times, at ${killedAt.size} of ${operations} operations and at random instants; ${syncs} syncs completed, ${violations.length} with other tables`,
      figures: { kills, operations, killedAtOperations: killedAt.size, syncs, different: violations.length },
      violations,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function countOperations(said: string): number {
  const { operations } = JSON.parse(said.trim().split('\n').at(-1) ?? '') as { operations: Record<string, number> }
  return (operations['upserts'] ?? 0) + (operations['checkpoints'] ?? 0)
}

/** One sync, killed once or more, to its end. */
async function killAndCompare(stage: Stage): Promise<string[]> {
  const { random, folder } = stage
  const output = `disturbed-${stage.syncs}`
  do {
    const isInstant = random.chance(0.25)
    // One after the other at first, so that none is left out; how far a later start goes is anybody's guess.
    const killAt = (stage.kills % stage.operations) + 1
    const order = isInstant ? { output, killAfterMs: random.between(0, 1500) } : { output, killAt }
    const { code } = await runSync(stage, order)
    if (code !== null) break
    stage.kills += 1
    if (!isInstant) stage.killedAt.add(killAt)
  } while (random.chance(0.4))
  const last = await runSync(stage, { output })
  stage.syncs += 1
  if (last.code !== 0) return [`after its kills the sync failed: ${last.said}`]
  const differences = await diffDuckDb(toWarehouse(folder, 'calm'), toWarehouse(folder, output))
  const [calmState, state] = ['calm', output].map((each) => readFileSync(join(folder, each, 'state.json'), 'utf8'))
  rmSync(join(folder, output), { recursive: true })
  const found = differences.map((difference) => JSON.stringify(difference))
  return calmState === state ? found : [...found, `the state is ${state} and should be ${calmState}`]
}

const toWarehouse = (folder: string, output: string): string => join(folder, output, 'warehouse.duckdb')

type Order = { readonly output: string; readonly killAt?: number; readonly killAfterMs?: number }
type Ended = { readonly code: number | null; readonly said: string }

const chaos = ['error=11', 'cut=13', 'rate-limit=17', 'repeat=9'].flatMap((each) => ['--chaos', each])

/** @returns code null where it was killed */
async function runSync({ folder, configuration }: Stage, { output, killAt, killAfterMs }: Order): Promise<Ended> {
  const given = ['--configuration', configuration, '--output', join(folder, output), '--json']
  const doom = killAt === undefined ? [] : ['--kill-at', String(killAt)]
  const args = ['packages/cli/bin/sluice.js', 'connectors', 'debug', 'integrations/people-ai', ...given, ...doom]
  const child = spawn(process.execPath, [...args, ...(output === 'calm' ? [] : chaos)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const reap = endWithThisProcess(() => child.kill('SIGKILL'))
  const ended = once(child, 'close').finally(reap)
  const over = new AbortController()
  if (killAfterMs !== undefined)
    sleep(killAfterMs, undefined, { signal: over.signal }).then(
      () => child.kill('SIGKILL'),
      () => undefined,
    )
  let [said, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (said += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (errors += text))
  const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null]
  over.abort()
  if (signal !== null && signal !== 'SIGKILL') throw new Error(`a sync ended with ${signal}`)
  return { code, said: code === 0 ? said : errors }
}

/** Rows whose columns come late and change their types, with lists, large numbers and keys that are null. */
function toRows(): Record<string, Record<string, unknown>[]> {
  const activities = Array.from({ length: 30 }, (_, index) => ({
    uid: `activity-${index}`,
    subject: index % 3 === 0 ? null : `subject ${index}`,
    score: index < 10 ? index : index < 20 ? index + 0.5 : `about ${index}`,
    ...(index > 14 && { late: index }),
    tags: [{ index }, 'tag'],
    number: 2 ** 40 + index,
  }))
  const participants = Array.from({ length: 30 }, (_, index) => ({
    uid: `activity-${index % 12}`,
    email: index % 4 === 0 ? null : `person-${index % 5}@example.com`,
    seen: index % 2 === 0,
    status: `status ${index % 12} ${index % 4 === 0 ? '-' : index % 5}`,
  }))
  return { activities, participants }
}
