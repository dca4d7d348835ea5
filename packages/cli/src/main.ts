#!/usr/bin/env node
import { CommanderError } from 'commander'
import { exitCodes, toFailure } from './exit.ts'
import { createProgram } from './program.ts'

/** Runs one command line and leaves its exit code to the process. */
export async function run(argv: readonly string[]): Promise<void> {
  // The reader of a pipe has had enough (sluice tail | head).
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.done)
    throw error
  })
  try {
    await createProgram().parseAsync([...argv], { from: 'user' })
  } catch (error) {
    process.exitCode = report(error)
  }
}

function report(error: unknown): number {
  // Commander has printed its own; help that was asked for is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  const { exitCode, message } = toFailure(error)
  process.stderr.write(`sluice: ${message}\n`)
  return exitCode
}

if (import.meta.main) await run(process.argv.slice(2))
