import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HubProcess } from '../../scripts/hub-process.ts'
import { compareLedger } from '../load/compare.ts'
import { consume, drainAll } from '../load/consume.ts'
import { createLedger } from '../load/ledger.ts'
import {
  createSource,
  noteSingle,
  publishAgain,
  publishOne,
  publishSingles,
  publishUntilAccepted,
  type Source,
} from '../load/publish.ts'
import { crashServer, openPlace, stores, type Place, type StoreName } from '../load/place.ts'
import { createRandom } from '../load/random.ts'
import { readLog, readMissing } from '../load/read-log.ts'
import { request, requireAnswer, type Target } from '../load/request.ts'
import { createTally, type Tally } from '../load/tally.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * The data folder lies on a small file system that is filled to the last byte under load. The hub must say so (503
 * `storage-unavailable`), keep answering reads, lose nothing, and go on by itself when there is space; also if it is
 * killed and started again while the disk is full. With Postgres it is the disk of the server that is full, and the server
 * that is killed; should it end by itself, it is started again when there is space.
 */
export const diskFull: Suite = {
  name: 'disk-full',
  what: 'the disk fills up under load, what writes to it is killed and started again, space returns',
  stores,
  rounds: { ci: 4, alone: 10 },
  run,
}

// What a round stores is a few MiB; the rest is ballast that comes and goes.
const toDiskBytes = (store: StoreName, rounds: number): number =>
  ((store === 'sqlite' ? 64 : 192) + 8 * rounds) * 1024 * 1024
const resumeMs = 15_000

type Disk = {
  readonly path: string
  readonly fill: () => void
  readonly free: () => void
  readonly toReadOnly: () => void
  readonly remove: () => void
}
type State = {
  hub: HubProcess
  readonly place: Place
  readonly target: Target
  readonly source: Source
  readonly tally: Tally
  readonly disk: Disk
}

async function run({ store, rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const disk = mountDisk(toDiskBytes(store, rounds))
  // A log that is written in advance would go on for long after the disk is full.
  const settings = { max_wal_size: '32MB', min_wal_size: '32MB' }
  const place = await openPlace(store, {
    data: join(disk.path, 'data'),
    postgres: { parentFolder: disk.path, settings },
  })
  try {
    const source = createSource(createLedger({ work: { inOrder: false } }), createRandom(seed))
    const hub = await place.startHub()
    const target: Target = { url: hub.url, apiKey: hub.apiKey ?? '' }
    const state: State = { hub, place, target, source, tally: createTally(), disk }
    const body = { start: 'earliest', max_attempts: 1000 }
    await requireAnswer(target, { method: 'PUT', path: '/v1/inboxes/work', body })
    for (let round = 1; round <= rounds; round += 1) {
      await load(state, 300)
      disk.fill()
      await expectRefusals(state)
      if (round % 2 === 0) await killWhileFull(state)
      disk.free()
      await startWhatEnded(state)
      await expectResume(state)
      tell(`${round} of ${rounds} times full, ${state.tally.count('refused')} publishes refused`)
    }
    return await toResult(state)
  } finally {
    await place.close()
    disk.remove()
  }
}

/** Somebody who looks after a server or a hub starts it when there is space again. */
async function startWhatEnded(state: State): Promise<void> {
  const { postgres, startHub } = state.place
  if (postgres?.pid === null) {
    state.tally.add('server started')
    await postgres.start()
  }
  if (state.hub.isEnded()) state.hub = await startHub({ port: Number(new URL(state.target.url).port) })
}

/** A file system of its own in memory, with a ballast file that takes what is left of it. */
function mountDisk(bytes: number): Disk {
  const path = mkdtempSync(join(tmpdir(), 'sluice-faults-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', path])
  if (mounted.status !== 0) {
    rmSync(path, { recursive: true })
    throw new Error('a small disk needs the right to mount: run as root, or "unshare -rm npm run faults -- disk-full"')
  }
  // The server runs as another user.
  chmodSync(path, 0o755)
  mkdirSync(join(path, 'data'), { mode: 0o700 })
  const ballast = join(path, 'ballast')
  return {
    path,
    fill: () => fillFile(ballast),
    free: () => rmSync(ballast, { force: true }),
    toReadOnly: () => void spawnSync('mount', ['-o', 'remount,ro', path]),
    remove: () => {
      spawnSync('umount', ['--lazy', path])
      rmSync(path, { recursive: true, force: true })
    },
  }
}

/** Writes until nothing fits any more, then byte by byte to the end of the last page. */
function fillFile(path: string): void {
  const file = openSync(path, 'a')
  try {
    for (const size of [1024 * 1024, 4096]) {
      const chunk = new Uint8Array(size)
      while (isWritten(file, chunk));
    }
  } finally {
    closeSync(file)
  }
}

function isWritten(file: number, chunk: Uint8Array): boolean {
  try {
    return writeSync(file, chunk) === chunk.length
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false
    throw error
  }
}

async function load({ target, source }: State, forMs: number): Promise<void> {
  const signal = AbortSignal.timeout(forMs)
  const { ledger, random } = source
  await Promise.all([
    ...Array.from({ length: 4 }, () => publishSingles(target, source, signal)),
    consume(target, { inbox: 'work', ledger, random, signal, givesBack: true }),
  ])
}

/** Publishes until the hub has refused for a while; every refusal must be the documented one. */
async function expectRefusals({ hub, place, target, source, tally }: State): Promise<void> {
  const endMs = Date.now() + 20_000
  let refusals = 0
  while (refusals < 30) {
    const draft = source.draft()
    const answer = await publishOne(target, draft)
    noteSingle(source, draft, answer)
    if (answer.kind === 'unknown')
      throw new Error(`the hub went away on a full disk: ${hub.log()}`, { cause: answer.cause })
    if (answer.status === 503) {
      refusals += 1
      tally.add('refused')
      const { error_code: code } = answer.body as { error_code: string }
      if (code !== 'storage-unavailable') tally.fault('unclear', `a full disk was answered ${code}`)
      if (answer.retryAfter === null) tally.fault('unclear', 'a full disk was answered without Retry-After')
    }
    // What was freed inside the store may take some more; in the end nothing fits.
    if (Date.now() > endMs) return tally.fault('not full', 'the hub still accepts events on a full disk')
  }
  await expectReads({ place, target, source, tally })
}

type Reading = Pick<State, 'place' | 'target' | 'source' | 'tally'>

/** SQLite goes on reading. A Postgres that cannot write its log ends, and may find no space to recover. */
async function expectReads({ place: { store }, target, source, tally }: Reading): Promise<void> {
  const expected = store === 'sqlite' ? [200] : [200, 503]
  const ids = [...source.ledger.sent.values()].flatMap((sent) => [...sent.ids])
  for (const path of ['/status', `/v1/events/${ids[0]}`, `/v1/events/${ids.at(-1)}`, '/v1/events?limit=10']) {
    const answer = await request(target, { path })
    const said = answer.kind === 'answered' ? answer.status : String(answer.cause)
    if (!expected.some((status) => status === said)) tally.fault('unreadable', `${path} on a full disk: ${said}`)
    if (said === 200) tally.add('reads')
  }
}

/** The hub, or the server, may start on a full disk or refuse to, as long as it says why. */
async function killWhileFull(state: State): Promise<void> {
  const { hub, place, target, tally } = state
  const { postgres, startHub } = place
  if (postgres === undefined) await hub.kill()
  else await crashServer(postgres)
  tally.add('killed while full')
  const started = await (postgres?.start() ?? startHub({ port: Number(new URL(target.url).port) })).catch(
    (error: unknown) => {
      if (!/disk|space|full/i.test(String(error))) tally.fault('unclear', `a start on a full disk: ${String(error)}`)
      return false as const
    },
  )
  if (started === false) tally.add('did not start while full')
  else if (started !== undefined) state.hub = started
  // Without its server a hub refuses, too.
  if (started !== false || postgres !== undefined) await expectRefusals(state)
}

/** On a disk that cannot be written the hub must not start, and say why. */
async function expectNoStart({ startHub }: Place, tally: Tally): Promise<void> {
  const hub = await startHub().catch((error: unknown) => {
    if (!/read-?only/i.test(String(error))) tally.fault('unclear', `a start on a read-only disk: ${String(error)}`)
  })
  if (hub === undefined) return
  tally.fault('unclear', 'the hub started on a read-only disk')
  await hub.stop()
}

async function expectResume({ hub, target, source, tally }: State): Promise<void> {
  const failure = await publishUntilAccepted(target, source, resumeMs)
  const log = hub.log().trimEnd().split('\n').at(-1)
  if (failure !== undefined) tally.fault('not resumed', `after space returned: ${failure}; the hub's log: ${log}`)
}

async function toResult({ hub, place, target, source, tally, disk }: State): Promise<SuiteResult> {
  const { ledger } = source
  await publishAgain(target, source)
  const stuck = await drainAll(target, ledger)
  const view = { log: await readLog(target), missing: await readMissing(target, ledger) }
  const { accepted, faults, violations } = compareLedger(ledger, view)
  const code = await hub.stop()
  if (code !== 0) tally.fault('exit', `the hub ended with ${code} when it was asked to stop`)
  const integrity = await place.check()
  if (integrity !== 'ok') tally.fault('integrity', integrity)
  if (place.store === 'sqlite') {
    disk.toReadOnly()
    await expectNoStart(place, tally)
  }
  const [refused, notResumed] = [tally.count('refused'), tally.count('not resumed')]
  return {
    summary:
      `accepted ${accepted}, lost ${faults.lost}, refused ${refused}, ` +
      `refused but stored ${faults.refusedButStored}, not resumed ${notResumed}`,
    figures: {
      accepted,
      refused,
      killedWhileFull: tally.count('killed while full'),
      didNotStartWhileFull: tally.count('did not start while full'),
      serverStarted: tally.count('server started'),
      readsWhileFull: tally.count('reads'),
      ...faults,
      notResumed,
    },
    violations: [...tally.faults, ...violations, ...stuck],
  }
}
