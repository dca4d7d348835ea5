import { globSync } from 'node:fs'
import { run } from 'node:test'
import { dot, spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { sharePostgres } from './use-postgres.ts'

/**
 * Runs tests: `npm test` all of them, `npm test -- lease` those whose path holds "lease", `--fast` only those beside the
 * code in packages/ and integrations/, without `*.slow.test.ts`, with a dot for each. Ends with `tests: N passed, N failed`
 * and exit code 0 or 1. With CI=true a skipped test is a failure. The files that use Postgres share one server, which is
 * started when the first of them asks for it.
 */
const { values, positionals } = parseArgs({ allowPositionals: true, options: { fast: { type: 'boolean' } } })

const everywhere = ['packages/*/src', 'integrations/*', 'scripts', 'examples', 'faults', 'bench', 'deploy']
const folders = values.fast ? everywhere.slice(0, 2) : everywhere
const files = globSync(folders.map((folder) => `${folder}/**/*.test.ts`))
  .filter((file) => !file.includes('node_modules') && positionals.every((part) => file.includes(part)))
  .filter((file) => !(values.fast && file.endsWith('.slow.test.ts')))
  .toSorted()

if (files.length === 0) {
  console.error(`no test file matches ${positionals.join(' ') || folders.join(' ')}`)
  process.exit(1)
}

const testTimeoutMs = 2 * 60_000
// The run is given up after a silence longer than any one test: node:test itself waits for ever for a file that keeps a
// socket or a timer open after its last test.
const silenceMs = 3 * 60_000

const watchdog = new AbortController()
let giveUp: NodeJS.Timeout
let skipped = 0
let passed = 0
let failed = 0

function feedWatchdog(): void {
  clearTimeout(giveUp)
  giveUp = setTimeout(() => {
    console.error(`nothing has happened for ${silenceMs / 1000} s: a test file does not end by itself`)
    watchdog.abort()
  }, silenceMs)
}

feedWatchdog()
const stopPostgres = await sharePostgres()
const stream = run({ files, concurrency: 2, timeout: testTimeoutMs, signal: watchdog.signal })
stream.on('test:complete', feedWatchdog)
stream.on('test:summary', ({ file, counts }) => {
  // Each file has a summary of its own; the one without a file is for the whole run.
  if (file !== undefined) return
  passed = counts.passed
  skipped = counts.skipped + counts.todo
  failed = counts.tests - counts.passed - skipped
})
stream.on('end', () => {
  clearTimeout(giveUp)
  return stopPostgres()
})
stream.compose(values.fast ? dot : new spec()).pipe(process.stdout)

process.on('exit', () => {
  const skippedInCi = process.env['CI'] === 'true' && skipped > 0
  if (skippedInCi) console.error('with CI=true no test may be skipped')
  if (failed > 0 || passed === 0 || skippedInCi || watchdog.signal.aborted) process.exitCode = 1
  console.log(`tests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
})
