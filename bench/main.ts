import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { howToGetPostgres } from '../scripts/postgres-binaries.ts'
import { fillLargeLog, keepLargeLog, type LargeLog } from './large-log.ts'
import { describeConditions, watchOthers } from './machine.ts'
import { hasPostgres } from './postgres.ts'
import { printRow, toMarkdown, type Report, type RowReport } from './report.ts'
import type { Context, Row } from './row.ts'
import { rows } from './rows.ts'
import { wrkVersion } from './wrk.ts'

const usage = `npm run bench -- [NAME ...] [--quick] [--json FILE] [--write]
  NAME        one or more of: ${rows.map((row) => row.name).join(', ')}
  --quick     rounds of 1 s and a log of 1 million events: for a look
  --json F    writes all figures to a file
  --write     writes bench/RESULTS.md
  --rounds N  rounds of each side, 5 by default and at least
  --seconds N length of a round under load, 3 by default
  --events N  events in the large log, 10 million by default
  --log DIR   keeps the large log there and uses it again (the row trimming uses it up)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    json: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string' },
    events: { type: 'string' },
    log: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const named = rows.filter((row) => positionals.length === 0 || positionals.includes(row.name))
const unknown = positionals.filter((name) => !rows.some((row) => row.name === name))
if (values.help || unknown.length > 0)
  stop(unknown.length > 0 ? `no row is named ${unknown.join(', ')}\n${usage}` : usage)
if (values.write && positionals.length > 0)
  stop('--write takes all rows: a page with some of them would lose the others')
if (process.platform !== 'linux') stop('the benchmarks run on Linux only: they pin processes and read /proc')
if (wrkVersion() === undefined) stop('wrk is missing, which makes the load: apt-get install wrk')

const wanted = named.filter((row) => !row.needsPostgres || hasPostgres())
const leftOut = named.filter((row) => !wanted.includes(row)).map((row) => row.name)
if (leftOut.length > 0) console.log(`left out: ${leftOut.join(', ')} (${howToGetPostgres})`)

const rounds = Math.max(5, toNumber(values.rounds))
const seconds = toNumber(values.seconds ?? (values.quick ? '1' : '3'))
const events = toNumber(values.events ?? (values.quick ? '1000000' : '10000000'))
const temporary = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
process.once('exit', () => rmSync(temporary, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const context = createContext()
const startedAt = new Date().toISOString()
const conditions = describeConditions({ rounds, seconds })
for (const [name, value] of Object.entries(conditions)) console.log(`${name}: ${value}`)

const reports: RowReport[] = []
for (const row of wanted) {
  const report = await measureRow(row)
  reports.push(report)
  console.log(`\n${printRow(report)}`)
}

const report: Report = { startedAt, quick: values.quick, conditions, rows: reports }
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
if (values.write) writeFileSync(new URL('RESULTS.md', import.meta.url), toMarkdown(report))
process.exitCode = reports.some((row) => row.error !== undefined) ? 1 : 0

async function measureRow(row: Row): Promise<RowReport> {
  const started = performance.now()
  const { answer, othersPercent } = await watchOthers(async () => {
    try {
      return { figures: await row.run({ ...context, say: (text) => context.say(`${row.name}: ${text}`) }) }
    } catch (error) {
      return { figures: [], error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
  })
  return { name: row.name, title: row.title, ...answer, othersPercent, seconds: (performance.now() - started) / 1000 }
}

function createContext(): Context {
  let largeLog: Promise<LargeLog> | undefined
  const say = (text: string): void => console.error(text)
  let folders = 0
  const folder = (name: string): string => {
    const path = join(temporary, `${(folders += 1)}-${name}`)
    mkdirSync(path)
    return path
  }
  const openLog = (): Promise<LargeLog> => {
    if (values.log === undefined) return fillLargeLog({ data: folder('large-log'), events, say })
    return keepLargeLog({ data: resolve(values.log), events, say })
  }
  return { rounds, seconds, folder, say, largeLog: () => (largeLog ??= openLog()) }
}

function toNumber(text: string): number {
  const number = Number(text.replaceAll('_', ''))
  if (!Number.isInteger(number) || number < 1) stop(`${text} is not a whole number above 0\n${usage}`)
  return number
}

function stop(message: string): never {
  console.error(message)
  process.exit(2)
}
