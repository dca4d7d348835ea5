import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startHub, type HubProcess } from '../../scripts/hub-process.ts'
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
import { createRandom } from '../load/random.ts'
import { checkIntegrity, readLog, readMissing } from '../load/read-log.ts'
import { request, requireAnswer, type Target } from '../load/request.ts'
import { createTally, type Tally } from '../load/tally.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * The data folder lies on a small file system that is filled to the last byte under load. The hub must say so (503
 * `storage-unavailable`), keep answering reads, lose nothing, and go on by itself when there is space; also if it is
 * killed and started again while the disk is full.
 */
export const diskFull: Suite = {
  name: 'disk-full',
  what: 'the disk fills up under load, the hub is killed and started on it, space returns',
  stores: ['sqlite'],
  rounds: { ci: 4, alone: 10 },
  run,
}

// What a round stores is a few MiB; the rest is ballast that comes and goes.
const toDiskBytes = (rounds: number): number => (64 + 8 * rounds) * 1024 * 1024
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
  readonly target: Target
  readonly source: Source
  readonly tally: Tally
  readonly disk: Disk
}

async function run({ rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const disk = mountDisk(toDiskBytes(rounds))
  const data = join(disk.path, 'data')
  try {
    const source = createSource(createLedger({ work: { inOrder: false } }), createRandom(seed))
    const hub = await startHub({ data })
    const state: State = { hub, target: { url: hub.url, apiKey: hub.apiKey ?? '' }, source, tally: createTally(), disk }
    await requireAnswer(state.target, {
      method: 'PUT',
      path: '/v1/inboxes/work',
      body: { start: 'earliest', max_attempts: 1000 },
    })
    const port = Number(new URL(hub.url).port)
    for (let round = 1; round <= rounds; round += 1) {
      await load(state, 300)
      disk.fill()
      await expectRefusals(state)
      if (round % 2 === 0) await killWhileFull(state, () => startHub({ data, port }))
      disk.free()
      if (state.hub.isEnded()) state.hub = await startHub({ data, port })
      await expectResume(state)
      tell(`${round} of ${rounds} times full, ${state.tally.count('refused')} publishes refused`)
    }
    return await toResult(state, data)
  } finally {
    disk.remove()
  }
}

/** A file system of its own in memory, with a ballast file that takes what is left of it. */
function mountDisk(bytes: number): Disk {
  const path = mkdtempSync(join(tmpdir(), 'sluice-faults-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', path])
  if (mounted.status !== 0) {
    rmSync(path, { recursive: true })
    throw new Error('a small disk needs the right to mount: run as root, or "unshare -rm npm run faults -- disk-full"')
  }
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
async function expectRefusals({ hub, target, source, tally }: State): Promise<void> {
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
  await expectReads(target, source, tally)
}

async function expectReads(target: Target, { ledger }: Source, tally: Tally): Promise<void> {
  const ids = [...ledger.sent.values()].flatMap((sent) => [...sent.ids])
  for (const path of ['/status', `/v1/events/${ids[0]}`, `/v1/events/${ids.at(-1)}`, '/v1/events?limit=10']) {
    const answer = await request(target, { path })
    if (answer.kind !== 'answered' || answer.status !== 200) tally.fault('unreadable', `${path} on a full disk`)
  }
}

/** The hub may start on a full disk or refuse to, as long as it says why. */
async function killWhileFull(state: State, start: () => Promise<HubProcess>): Promise<void> {
  await state.hub.kill()
  state.tally.add('killed while full')
  const hub = await start().catch((error: unknown) => {
    if (!/disk|space|full/i.test(String(error)))
      state.tally.fault('unclear', `a start on a full disk: ${String(error)}`)
    return undefined
  })
  if (hub === undefined) return state.tally.add('did not start while full')
  state.hub = hub
  await expectRefusals(state)
}

/** On a disk that cannot be written the hub must not start, and say why. */
async function expectNoStart(data: string, tally: Tally): Promise<void> {
  const hub = await startHub({ data }).catch((error: unknown) => {
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

async function toResult({ hub, target, source, tally, disk }: State, data: string): Promise<SuiteResult> {
  const { ledger } = source
  await publishAgain(target, source)
  const stuck = await drainAll(target, ledger)
  const view = { log: await readLog(target), missing: await readMissing(target, ledger) }
  const { accepted, faults, violations } = compareLedger(ledger, view)
  const code = await hub.stop()
  if (code !== 0) tally.fault('exit', `the hub ended with ${code} when it was asked to stop`)
  const integrity = checkIntegrity(data)
  if (integrity !== 'ok') tally.fault('integrity', integrity)
  disk.toReadOnly()
  await expectNoStart(data, tally)
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
      ...faults,
      notResumed,
    },
    violations: [...tally.faults, ...violations, ...stuck],
  }
}
