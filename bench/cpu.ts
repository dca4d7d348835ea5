import { readFileSync } from 'node:fs'
import { median, toText } from './figure.ts'

/** CPU time of a server during a load, in µs: unlike a rate, it hardly changes when others use the machine. */
export type CpuTime = { readonly mainMicros: number; readonly allMicros: number }

/** One tick of /proc, in µs: USER_HZ is 100 on every Linux that Node runs on. */
const tickMicros = 10_000

/** A load on a server: how many a second, how many in all, and what they cost. */
export type LoadRun = { readonly rate: number; readonly count: number; readonly cpu: CpuTime }

export const toRates = (runs: readonly LoadRun[]): number[] => runs.map(({ rate }) => rate)

export async function measureCpu<Answer>(
  pid: number,
  run: () => Promise<Answer>,
): Promise<{ answer: Answer; cpu: CpuTime }> {
  const before = readCpu(pid)
  const answer = await run()
  const after = readCpu(pid)
  const cpu = { mainMicros: after.mainMicros - before.mainMicros, allMicros: after.allMicros - before.allMicros }
  return { answer, cpu }
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
