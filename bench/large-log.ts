import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openHub } from './hub.ts'
import { fillLog } from './store.ts'
import { toText } from './figure.ts'

/** A data folder whose log was filled before; no hub runs on it. */
export type LargeLog = { readonly data: string; readonly apiKey: string; readonly events: number }

/** What an event takes on disk, and as much again for the write-ahead log and for what the rows add. */
const bytesAnEvent = 1600

type FillOptions = { readonly data: string; readonly events: number; readonly say: (text: string) => void }

/** @throws if the disk has no room for it */
export async function fillLargeLog({ data, events, say }: FillOptions): Promise<LargeLog> {
  const { bavail, bsize } = statfsSync(data)
  if (bavail * bsize < events * bytesAnEvent) {
    throw new Error(
      `a log of ${toText(events)} events needs about ${toText((events * bytesAnEvent) / 1e9)} GB in ${data}; set TMPDIR to a larger disk, or use --quick`,
    )
  }
  const { apiKey, stop } = await openHub({ data })
  await stop()
  const rate = await fillLog({ data, count: events, say })
  const { size } = statSync(join(data, 'sluice.db'))
  say(`filled ${toText(events)} events, ${toText(rate)} a second, ${toText(size / 1e9, 2)} GB`)
  return { data, apiKey, events }
}

const noteName = 'bench.json'

/**
 * The log that an earlier run has kept in a folder, if it has as many events; else a new one, kept there.
 *
 * @throws if the folder holds something else
 */
export async function keepLargeLog({ data, events, say }: FillOptions): Promise<LargeLog> {
  mkdirSync(data, { recursive: true })
  const note = join(data, noteName)
  if (existsSync(note)) {
    const known = JSON.parse(readFileSync(note, 'utf8')) as Partial<LargeLog> // written below
    if (known.events === events && known.apiKey !== undefined) return { data, events, apiKey: known.apiKey }
  } else if (readdirSync(data).length > 0)
    throw new Error(`${data} holds something that the benchmarks have not made; give another folder`)
  for (const name of readdirSync(data)) rmSync(join(data, name), { recursive: true })
  writeFileSync(note, '{}')
  const log = await fillLargeLog({ data, events, say })
  writeFileSync(note, JSON.stringify(log))
  return log
}

/** A kept log that is used up: the next run makes a new one. */
export function spendLargeLog({ data }: LargeLog): void {
  const note = join(data, noteName)
  if (existsSync(note)) writeFileSync(note, '{}')
}
