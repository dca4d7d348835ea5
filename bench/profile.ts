import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { toText } from './figure.ts'
import { openHub, type FolderHub } from './hub.ts'
import { createInboxes, readHandedOut, runLease } from './lease-load.ts'
import { runPublish } from './publish-load.ts'
import { fillLog } from './store.ts'

/**
 * Where the hub spends its time under a load: `node bench/profile.ts single | ndjson | json | lease [--seconds 3]`. Prints,
 * for each of its threads, what each function costs in µs an event, itself and with all that it calls.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '3' }, top: { type: 'string', default: '30' } },
})
const loads = ['single', 'ndjson', 'json', 'lease'] as const
const load = loads.find((name) => name === positionals[0])
if (!load) throw new Error(`give one of ${loads.join(', ')}`)

type Frame = { readonly functionName: string; readonly url: string; readonly lineNumber: number }
type ProfileNode = { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] }
/** `samples` and `timeDeltas` in µs, one beside the other. */
type Profile = {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const warmUpSeconds = 2
const sampleMicros = 200
/** A longer gap between two samples means that the thread, or the one that samples it, was not running. */
const longestGapMicros = 4 * sampleMicros
const folder = mkdtempSync(join(tmpdir(), 'sluice-profile-'))
try {
  const events = await profileLoad(load, Number(values.seconds))
  for (const name of readdirSync(join(folder, 'profiles'))) {
    const profile = JSON.parse(readFileSync(join(folder, 'profiles', name), 'utf8')) as Profile // written by V8
    printProfile(profile, events)
  }
} finally {
  rmSync(folder, { recursive: true })
}

/** Answers how many events went through. */
async function profileLoad(name: (typeof loads)[number], seconds: number): Promise<number> {
  const data = join(folder, 'hub')
  const profiles = join(folder, 'profiles')
  const wrk = join(folder, 'wrk')
  for (const path of [profiles, wrk]) mkdirSync(path)
  const { apiKey, stop } = await openHub({ data })
  await stop()
  if (name === 'lease') await fillLog({ data, count: 200_000 })
  await using hub = await openHub({
    data,
    apiKey,
    nodeOptions: `--cpu-prof --cpu-prof-interval=${sampleMicros} --cpu-prof-dir=${profiles}`,
  })
  if (name === 'lease') return await leaseAll({ hub, seconds, wrk })
  await runPublish({ ...hub, form: name, seconds: warmUpSeconds, folder: wrk })
  const { accepted, rate } = await runPublish({ ...hub, form: name, seconds, folder: wrk })
  console.log(`${name}: ${toText(rate)} events/s under the profiler`)
  return accepted
}

async function leaseAll({ hub, seconds, wrk }: { hub: FolderHub; seconds: number; wrk: string }): Promise<number> {
  const inboxes = Array.from({ length: seconds + 1 }, (_, index) => `profile-${index}`)
  await createInboxes(hub, [...inboxes, 'warm-up'])
  await runLease({ hub, inboxes: ['warm-up'], leasesEach: 1e9, run: 'w', seconds: warmUpSeconds, folder: wrk })
  await runLease({ hub, inboxes, leasesEach: 1e9, run: 'p', seconds, folder: wrk })
  const { next, leased } = readHandedOut(hub.file, inboxes)
  console.log(`lease: ${toText((next - leased) / seconds)} events/s under the profiler`)
  return next
}

function printProfile({ nodes, samples, timeDeltas }: Profile, events: number): void {
  const self = new Map<number, number>()
  // Only the end counts, when the load ran: before that the hub started and warmed up.
  let left = Number(values.seconds) * 1e6
  for (let index = samples.length - 1; index >= 0 && left > 0; index -= 1) {
    const [id = 0, micros = 0] = [samples[index], timeDeltas[index]]
    self.set(id, (self.get(id) ?? 0) + Math.min(micros, longestGapMicros))
    left -= micros
  }
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const selfOf = new Map<string, number>()
  const totalOf = new Map<string, number>()
  const add = (sums: Map<string, number>, name: string, micros: number): void =>
    void sums.set(name, (sums.get(name) ?? 0) + micros)
  const visit = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const name = toName(node.callFrame)
    const own = self.get(node.id) ?? 0
    const inner = new Set(above).add(name)
    let total = own
    for (const id of node.children ?? []) {
      const child = byId.get(id)
      if (child) total += visit(child, inner)
    }
    add(selfOf, name, own)
    if (!above.has(name)) add(totalOf, name, total)
    return total
  }
  const [root] = nodes
  if (root) visit(root, new Set())
  const isIdle = (name: string): boolean => /^\((idle|root|program)\)/.test(name)
  const busy = [...selfOf].reduce((sum, [name, micros]) => (isIdle(name) ? sum : sum + micros), 0)
  console.log(`\na thread, busy ${toText(busy / events, 2)} µs an event; self, total, function`)
  const ranked = [...totalOf]
    .filter(([name]) => !isIdle(name))
    .toSorted((a, b) => (selfOf.get(b[0]) ?? 0) - (selfOf.get(a[0]) ?? 0))
  for (const [name, total] of ranked.slice(0, Number(values.top))) {
    console.log(
      `${toText((selfOf.get(name) ?? 0) / events, 2).padStart(9)} ${toText(total / events, 2).padStart(9)}  ${name}`,
    )
  }
}

function toName({ functionName, url, lineNumber }: Frame): string {
  if (url === '') return functionName
  const file = url.startsWith('node:') ? url : (url.split('/packages/').at(-1) ?? basename(url))
  return `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`
}
