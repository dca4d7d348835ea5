import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { median, percentile, toText } from './figure.ts'
import { describePinning } from './pin.ts'
import { wrkVersion } from './wrk.ts'

/** What one must know to judge a figure: where it was taken and with what. Name, then value. */
export type Conditions = Readonly<Record<string, string>>

export function describeConditions({ rounds, seconds }: { rounds: number; seconds: number }): Conditions {
  return {
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${toText(totalmem() / 1e9)} GB, Linux ${release()}`,
    disk: `${tmpdir()}: ${measureSync()}`,
    versions: `node ${process.versions.node}, SQLite ${process.versions.sqlite ?? 'unknown'}, fastify ${versionOf('fastify')}, undici ${versionOf('undici')}, ${wrkVersion() ?? 'wrk is missing'}`,
    pinning: describePinning(),
    durability:
      'SQLite: WAL, synchronous=FULL; Postgres: as it says beside its figures. Every commit is synced before its answers leave; the bare references the same',
    load: 'events of 1,024 bytes in 64 texts, each with a number of its own; 64 connections for single ones, 8 with batches of 100 (32 over four workspaces on Postgres), 8 for leases of 100; a real API key in every request; closed loop, so latencies leave out what a stalled client did not send',
    rounds: `${rounds} of ${seconds} s for each side after one to warm up, sides in turn and in changing order; ratios are taken round by round; the median counts`,
    'load average before': loadavg()
      .map((load) => toText(load, 2))
      .join(' '),
  }
}

function versionOf(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  return String((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version)
}

/** How long a synced write of 4 KiB takes: what commits cost on this disk, or what the machine makes of it. */
function measureSync(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-sync-'))
  const file = openSync(join(folder, 'probe'), 'w')
  const block = Buffer.alloc(4096, 1)
  const pass = (): string => {
    const micros = Array.from({ length: 200 }, (_, index) => {
      const started = performance.now()
      writeSync(file, block, 0, block.length, index * block.length)
      fdatasyncSync(file)
      return (performance.now() - started) * 1000
    })
    return `median ${toText(median(micros))} µs, p99 ${toText(percentile(micros, 0.99))} µs`
  }
  const [growing, again] = [pass(), pass()]
  closeSync(file)
  rmSync(folder, { recursive: true })
  return `write and fdatasync of 4 KiB: ${growing} on a growing file, ${again} on one that has its size`
}

/** How much of the machine others used while something ran: the noise that a reader must know of. */
export async function watchOthers<Answer>(
  run: () => Promise<Answer>,
): Promise<{ answer: Answer; othersPercent: number }> {
  const before = readTicks()
  const answer = await run()
  const after = readTicks()
  const others = after.busy - before.busy - (after.own - before.own)
  return { answer, othersPercent: Math.max(0, (others / Math.max(1, after.total - before.total)) * 100) }
}

/** Clock ticks since boot: of all CPUs, and of this process with the children that have ended. Rows end what they start. */
function readTicks(): { total: number; busy: number; own: number } {
  const all = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/).slice(1, 9).map(Number)
  const total = all.reduce((sum, ticks) => sum + ticks, 0)
  const [, , , idle = 0, wait = 0] = all
  // The name in brackets may hold blanks; utime, stime and those of ended children are the 12th to 15th field after it.
  const own = (readFileSync('/proc/self/stat', 'utf8').split(') ')[1] ?? '').split(' ').slice(11, 15).map(Number)
  return { total, busy: total - idle - wait, own: own.reduce((sum, ticks) => sum + ticks, 0) }
}
