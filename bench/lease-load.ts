import { join } from 'node:path'
import { readStore, type Hub } from './hub.ts'
import { runWrk, type WrkResult } from './wrk.ts'

/** The keys of a thousand inboxes: the same in every row, so that a log which rows share has no more. */
export function manyInboxes(): string[] {
  return Array.from({ length: 1000 }, (_, index) => `inbox-${index}`)
}

/** Makes inboxes that begin at the earliest event, where they do not exist. */
export async function createInboxes(hub: Hub, keys: readonly string[]): Promise<void> {
  await forEach(keys, (key) => hub.call('PUT', `/v1/inboxes/${key}`, { start: 'earliest' }))
}

/** Moves inboxes: to `earliest`, `latest` or an event id. */
export async function seekInboxes(hub: Hub, keys: readonly string[], to: (index: number) => string): Promise<void> {
  await forEach(keys, (key, index) => hub.call('POST', `/v1/inboxes/${key}/seek`, { to: to(index) }))
}

async function forEach(keys: readonly string[], run: (key: string, index: number) => Promise<unknown>): Promise<void> {
  const left = [...keys.entries()]
  const loop = async (): Promise<void> => {
    for (let entry = left.pop(); entry; entry = left.pop()) await run(entry[1], entry[0])
  }
  await Promise.all(Array.from({ length: 8 }, loop))
}

type Load = {
  readonly hub: Pick<Hub, 'url' | 'apiKey'>
  readonly inboxes: readonly string[]
  /** leases taken from an inbox before the next one has its turn */
  readonly leasesEach: number
  /** part of each lease id; another one for each run */
  readonly run: string
  readonly seconds: number
  readonly folder: string
  /** default 8 */
  readonly connections?: number
}

/** A bounded run of wrk that leases 100 events at a time and acknowledges each lease. */
export function runLease({
  hub,
  inboxes,
  leasesEach,
  run,
  seconds,
  folder,
  connections = 8,
}: Load): Promise<WrkResult> {
  const rest = [
    ' HTTP/1.1',
    `Host: ${new URL(hub.url).host}`,
    `Authorization: Bearer ${hub.apiKey}`,
    'Content-Type: application/json',
    '',
  ]
  const input = { rest: rest.join('\r\n'), inboxes: inboxes.map((key) => `/v1/inboxes/${key}`), leasesEach, run }
  const inputFile = join(folder, `lease-${run}.lua`)
  return runWrk({ url: hub.url, script: 'lease.lua', input, inputFile, connections, seconds })
}

/** Events that inboxes have passed, and how many of them are still leased. */
export type HandedOut = { readonly next: number; readonly leased: number }

/** How many events these inboxes have passed since the beginning of the log, and how many of them are still leased. */
export function readHandedOut(file: string, inboxes: readonly string[]): HandedOut {
  return readStore(file, (db) => {
    const inbox = db.prepare('select id, next from inbox where key = ?')
    const leases = db.prepare('select held from lease where inbox_id = ?')
    const sums = { next: 0, leased: 0 }
    for (const key of inboxes) {
      const row = inbox.get(key)
      sums.next += Number(row?.['next'] ?? 1) - 1
      for (const { held } of leases.all(Number(row?.['id']))) sums.leased += countHeld(String(held))
    }
    return sums
  })
}

/** `held` is JSON: [[attempt, runs, lease id before], …], and runs are `1-100,205`. */
export function countHeld(held: string): number {
  const parts = JSON.parse(held) as [number, string, string | null][] // written by the store
  const lengths = parts
    .flatMap(([, runs]) => runs.split(','))
    .map((run) => {
      const [first = 0, last = first] = run.split('-').map(Number)
      return last - first + 1
    })
  return lengths.reduce((sum, length) => sum + length, 0)
}
