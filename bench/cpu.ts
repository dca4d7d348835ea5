import { readFileSync, readdirSync } from 'node:fs'
import { median, toText } from './figure.ts'

/** CPU time of a server during a load, in µs: unlike a rate, it hardly changes when others use the machine. */
export type CpuTime = { readonly mainMicros: number; readonly allMicros: number }

/** One tick of /proc, in µs: USER_HZ is 100 on every Linux that Node runs on. */
const tickMicros = 10_000

/** A load on a server: how many a second, how many in all, and what they cost. */
export type LoadRun = { readonly rate: number; readonly count: number; readonly cpu: CpuTime }

export const toRates = (runs: readonly LoadRun[]): number[] => runs.map(({ rate }) => rate)

/** Of one server, or of several together. */
export async function measureCpu<Answer>(
  pid: number | readonly number[],
  run: () => Promise<Answer>,
): Promise<{ answer: Answer; cpu: CpuTime }> {
  const pids = [pid].flat()
  const before = pids.map(readCpu)
  const answer = await run()
  const after = pids.map(readCpu)
  const spent = (part: keyof CpuTime): number =>
    after.reduce((sum, time, index) => sum + time[part] - (before[index]?.[part] ?? 0), 0)
  return { answer, cpu: { mainMicros: spent('mainMicros'), allMicros: spent('allMicros') } }
}

/** The median of the rounds, by event, request or row. */
export function toCpuText(rounds: readonly Pick<LoadRun, 'cpu' | 'count'>[], each: string): string {
  const micros = (part: keyof CpuTime): string => toText(median(rounds.map(({ cpu, count }) => cpu[part] / count)), 1)
  return `CPU of the main thread ${micros('mainMicros')} µs, of all threads ${micros('allMicros')} µs for each ${each}`
}

function readCpu(pid: number): CpuTime {
  return { mainMicros: readTicks(`/proc/${pid}/task/${pid}/stat`), allMicros: readTicks(`/proc/${pid}/stat`) }
}

/** utime and stime: the 12th and 13th field after the name, which stands in brackets and may hold blanks. */
function readTicks(file: string): number {
  const fields = (readFileSync(file, 'utf8').split(') ')[1] ?? '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickMicros
}

/** CPU time in µs that the children of a process have used so far, those that have ended with theirs. */
export function readChildrenCpu(pid: number): number {
  const own = readStat(String(pid))
  const running = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readStat)
    .filter(([, parent]) => Number(parent) === pid)
  const sum = (stat: readonly string[], fields: readonly number[]): number =>
    fields.reduce((ticks, field) => ticks + Number(stat[field] ?? 0), 0)
  // cutime and cstime of the parent stand for the children that have ended.
  const ticks = running.reduce((total, stat) => total + sum(stat, [11, 12]), sum(own, [13, 14]))
  return ticks * tickMicros
}

/** What stands after the name: the state, the parent, …; nothing of a process that has ended. */
function readStat(pid: string): string[] {
  try {
    return (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '').split(' ')
  } catch {
    return []
  }
}
