import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { toText } from './figure.ts'
import { openHub, type FolderHub } from './hub.ts'
import { createInboxes, readHandedOut, runLease } from './lease-load.ts'
import { profileOnPostgres } from './profile-postgres.ts'
import { printProfile, sampleMicros, type Profile } from './profile-report.ts'
import { runPublish } from './publish-load.ts'
import { fillLog } from './store.ts'

/**
 * Where the hub spends its time under a load: `node bench/profile.ts single | ndjson | json | lease [--seconds 3]`. Prints,
 * for each of its threads, what each function costs in µs an event, itself and with all that it calls. With `--postgres`
 * the hub runs on one of its own, and what the server has to say about its statements is printed too.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    top: { type: 'string', default: '30' },
    postgres: { type: 'boolean', default: false },
  },
})
const loads = ['single', 'ndjson', 'json', 'lease'] as const
const load = loads.find((name) => name === positionals[0])
if (!load) throw new Error(`give one of ${loads.join(', ')}`)

const warmUpSeconds = 2
const folder = mkdtempSync(join(tmpdir(), 'sluice-profile-'))
const profiles = join(folder, 'profiles')
const wrk = join(folder, 'wrk')
const nodeOptions = `--cpu-prof --cpu-prof-interval=${sampleMicros} --cpu-prof-dir=${profiles}`
try {
  for (const path of [profiles, wrk]) mkdirSync(path)
  const seconds = Number(values.seconds)
  const plan = { load, seconds, warmUpSeconds, nodeOptions, folder, wrk }
  const events = values.postgres ? await profileOnPostgres(plan) : await profileLoad(load, seconds)
  for (const name of readdirSync(profiles)) {
    const profile = JSON.parse(readFileSync(join(profiles, name), 'utf8')) as Profile // written by V8
    printProfile(profile, { events, seconds, top: Number(values.top) })
  }
} finally {
  rmSync(folder, { recursive: true })
}

/** Answers how many events went through. */
async function profileLoad(name: (typeof loads)[number], seconds: number): Promise<number> {
  const data = join(folder, 'hub')
  const { apiKey, stop } = await openHub({ data })
  await stop()
  if (name === 'lease') await fillLog({ data, count: 200_000 })
  await using hub = await openHub({ data, apiKey, nodeOptions })
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
