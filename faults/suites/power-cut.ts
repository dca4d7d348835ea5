import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cutPower, parseTrace, straceArgs } from '../load/disk-trace.ts'
import { openPlace, stores } from '../load/place.ts'
import { createRandom, type Random } from '../load/random.ts'
import { killUnderLoad, prepareLoad, settleAndCompare } from '../load/under-load.ts'
import { cutPowerOfPostgres } from './power-cut-postgres.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * A killed process leaves its writes with the operating system; a power cut throws away what was not synced. Each write
 * and fsync of the store is recorded while the hub is under load. After the kill its files are made anew from what was
 * durable at that instant, with nothing or with a random part of the rest, and the hub goes on from there. Postgres has too
 * many files for that: its data folder lies on a file system that is shut down under it.
 */
export const powerCut: Suite = {
  name: 'power-cut',
  what: 'writes after the last fsync are thrown away, whole or in part',
  stores,
  rounds: { ci: 8, alone: 20 },
  run: (options) => (options.store === 'sqlite' ? cutPowerOfHub(options) : cutPowerOfPostgres(options)),
}

// The shared-memory index is made anew by whoever opens the database first; it is never synced.
const durableFiles = ['sluice.db', 'sluice.db-wal', 'sluice.db-journal']
const memoryFile = 'sluice.db-shm'

async function cutPowerOfHub({ rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  if (spawnSync('strace', ['-V']).status !== 0) throw new Error('recording writes needs strace: apt-get install strace')
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-power-'))
  const data = join(folder, 'data')
  const record = join(folder, 'trace')
  const place = await openPlace('sqlite', { data })
  try {
    const random = createRandom(seed)
    let hub = await place.startHub()
    const port = Number(new URL(hub.url).port)
    const load = await prepareLoad(place, [hub], random)
    await hub.stop()
    const counts = { recorded: 0, thrownAway: 0 }
    for (let round = 1; round <= rounds; round += 1) {
      saveFiles(data, folder)
      const wrapper = ['strace', ...straceArgs, '-o', record]
      hub = await place.startHub({ port, wrapper, readyTimeoutMs: 60_000 })
      await killUnderLoad(hub, load)
      rewind({ data, folder, record, random, counts })
      tell(
        `${round} of ${rounds} cuts, ${load.source.ledger.sent.size} events sent, ${counts.thrownAway} writes thrown away`,
      )
    }
    hub = await place.startHub({ port })
    const { summary, figures, violations } = await settleAndCompare([hub], load)
    const blind = counts.recorded > 0 ? [] : ['no write was recorded']
    return { summary, figures: { cuts: rounds, ...counts, ...figures }, violations: [...violations, ...blind] }
  } finally {
    await place.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function saveFiles(data: string, folder: string): void {
  const saved = join(folder, 'saved')
  rmSync(saved, { recursive: true, force: true })
  mkdirSync(saved)
  for (const name of durableFiles) if (existsSync(join(data, name))) copyFileSync(join(data, name), join(saved, name))
}

type Rewind = {
  readonly data: string
  readonly folder: string
  readonly record: string
  readonly random: Random
  readonly counts: { recorded: number; thrownAway: number }
}

/** Puts the saved files back and repeats what would have outlived the cut. */
function rewind({ data, folder, record, random, counts }: Rewind): void {
  const trace = parseTrace(readFileSync(record, 'latin1'), (name) => durableFiles.includes(name))
  for (const name of [...durableFiles, memoryFile]) {
    rmSync(join(data, name), { force: true })
    const saved = join(folder, 'saved', name)
    if (existsSync(saved)) copyFileSync(saved, join(data, name))
  }
  counts.recorded += trace.changes.length
  counts.thrownAway += cutPower({ folder: data, trace, random, survival: random.chance(0.5) ? 0 : random.next() })
}
