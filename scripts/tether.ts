import { spawn } from 'node:child_process'
import { openSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { TetherPlan } from './tethered-process.ts'

/**
 * Runs one command and ends it when stdin closes. A process that is killed closes its pipes, so nothing that it has started
 * this way outlives it. Before that, each line on stdin is a signal for the command. Answers `{"pid"}` once, and ends as
 * the command does. tethered-process.ts starts it.
 */
const plan = JSON.parse(process.argv[2] ?? '') as TetherPlan

const log = openSync(plan.logFile, 'a')
const child = spawn(plan.file, plan.args, {
  cwd: plan.folder,
  env: plan.env,
  stdio: ['ignore', log, log],
  ...plan.user,
})
let isAbandoned = false

child.on('spawn', () => process.stdout.write(`${JSON.stringify({ pid: child.pid })}\n`))
child.on('error', (error) => {
  console.error(`cannot start ${plan.file}: ${error.message}`)
  finish(127)
})
child.on('exit', (code) => finish(code ?? 1))

const lines = createInterface({ input: process.stdin })
lines.on('line', (signal) => void child.kill(signal as NodeJS.Signals))
lines.on('close', abandon)
process.on('SIGTERM', abandon)
// Nobody reads what is written to the pipe of a process that is gone.
process.stdout.on('error', () => undefined)

function abandon(): void {
  if (isAbandoned) return
  isAbandoned = true
  child.kill(plan.abandonSignal)
  // Longer than Postgres itself waits for its children before it kills them.
  setTimeout(() => child.kill('SIGKILL'), 8000)
}

function finish(code: number): void {
  if (isAbandoned) rmSync(plan.folder, { recursive: true, force: true, maxRetries: 5 })
  process.exit(code)
}
