import { writeFileSync } from 'node:fs'
import { availableParallelism, platform, release } from 'node:os'
import { parseArgs } from 'node:util'
import { stores, type StoreName } from './load/place.ts'
import { clock } from './suites/clock.ts'
import { connections } from './suites/connections.ts'
import { consumers } from './suites/consumers.ts'
import { diskFull } from './suites/disk-full.ts'
import { kill } from './suites/kill.ts'
import { nodes } from './suites/nodes.ts'
import { outbox } from './suites/outbox.ts'
import { peopleAi } from './suites/people-ai.ts'
import { postgresRestart } from './suites/postgres-restart.ts'
import { powerCut } from './suites/power-cut.ts'
import type { Suite, SuiteResult } from './suites/suite.ts'

/**
 * Makes a hub fail and looks at what is left. `npm run faults` lists the suites; `npm run faults -- kill --rounds 200` runs
 * one, `-- ci` all of them, each for a bounded time. `--seed N` repeats the choices of an earlier run, `--json FILE` keeps
 * the figures, `--store postgres` takes one store only. Ends with `faults: N passed, N failed`.
 */
const suites: readonly Suite[] = [
  kill,
  powerCut,
  consumers,
  diskFull,
  clock,
  connections,
  postgresRestart,
  nodes,
  outbox,
  peopleAi,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    seed: { type: 'string' },
    json: { type: 'string' },
    store: { type: 'string' },
  },
})
const [name] = positionals
const wanted = name === 'ci' ? suites : suites.filter((suite) => suite.name === name)
const store = parseStore(values.store)
if (wanted.length === 0) {
  console.log(`npm run faults -- NAME [--store sqlite|postgres] [--rounds N] [--seed N] [--json FILE]\n`)
  for (const suite of suites) console.log(`  ${suite.name.padEnd(16)} ${suite.what} (${suite.stores.join(', ')})`)
  console.log(`  ${'ci'.padEnd(16)} all of them, bounded`)
  process.exit(name === undefined ? 0 : 2)
}

type Run = SuiteResult & {
  readonly suite: string
  readonly store: StoreName
  readonly rounds: number
  readonly seed: number
  readonly seconds: number
}

const runs: Run[] = []
for (const suite of wanted) {
  for (const each of suite.stores) if (store === undefined || store === each) runs.push(await runSuite(suite, each))
}
if (runs.length === 0) {
  console.error(`${name} has nothing to do with ${store}`)
  process.exit(2)
}
printTable(runs)
if (values.json !== undefined) {
  const machine = { platform: platform(), release: release(), cores: availableParallelism(), node: process.version }
  writeFileSync(values.json, `${JSON.stringify({ machine, runs }, undefined, 2)}\n`)
}
const failed = runs.filter(({ violations }) => violations.length > 0).length
const skipped = runs.filter((run) => run.skipped !== undefined).length
const aside = skipped > 0 ? `, ${skipped} skipped` : ''
console.log(`faults: ${runs.length - failed - skipped} passed, ${failed} failed${aside}`)
// A suite that failed half-way may have left a hub or consumers; they end with this process.
process.exit(failed > 0 ? 1 : 0)

async function runSuite(suite: Suite, on: StoreName): Promise<Run> {
  const rounds = parseWhole('rounds', values.rounds) ?? (name === 'ci' ? suite.rounds.ci : suite.rounds.alone)
  const seed = parseWhole('seed', values.seed) ?? Math.floor(Math.random() * 2 ** 31)
  console.log(`\n${suite.name} on ${on}: ${suite.what} (${rounds} rounds, seed ${seed})`)
  const startedMs = performance.now()
  const tell = (line: string): void => console.log(`  ${line}`)
  const result = await suite.run({ store: on, rounds, seed, tell }).catch(toFailure)
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10
  console.log(result.summary)
  for (const violation of result.violations) console.log(`✖ ${violation}`)
  return { suite: suite.name, store: on, rounds, seed, seconds, ...result }
}

function toFailure(error: unknown): SuiteResult {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { summary: 'the suite could not be finished', figures: {}, violations: [text] }
}

function parseWhole(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,10}$/.test(text)) return Number(text)
  console.error(`--${option} takes a whole number, not "${text}"`)
  process.exit(2)
}

function parseStore(text: string | undefined): StoreName | undefined {
  const found = stores.find((each) => each === text)
  if (text === undefined || found !== undefined) return found
  console.error(`--store takes ${stores.join(' or ')}, not "${text}"`)
  process.exit(2)
}

function printTable(list: readonly Run[]): void {
  console.log('\n| suite | store | rounds | seconds | outcome | figures |\n|---|---|---|---|---|---|')
  for (const { suite, store: on, rounds, seconds, figures, violations, skipped } of list) {
    const text = Object.entries(figures).map(([figure, count]) => `${toWords(figure)} ${count}`)
    const outcome = skipped !== undefined ? 'skipped' : violations.length === 0 ? 'passed' : 'FAILED'
    console.log(`| ${suite} | ${on} | ${rounds} | ${seconds} | ${outcome} | ${text.join(', ')} |`)
  }
  console.log('')
}

function toWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
