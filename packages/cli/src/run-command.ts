import { spawn, type ChildProcess } from 'node:child_process'
import type { LeasedEvent } from '@sluice/protocol'

/** The end of what a command said on stderr; this much is kept for the reason of a release. */
const keptBytes = 1000

export type Ended = {
  readonly exitCode: number | null
  readonly killedBy: NodeJS.Signals | null
  readonly lastWords: string
}

/**
 * Runs a shell command with the event as JSON on its stdin, and `SLUICE_EVENT_ID`, `SLUICE_EVENT_TYPE` and `SLUICE_ATTEMPT` in
 * its environment. Its output passes through; with `quiet` its stdout goes to stderr.
 *
 * @param signal ends the command and all that it started
 */
export function runCommand(
  command: string,
  event: LeasedEvent,
  options: { quiet: boolean; signal: AbortSignal },
): Promise<Ended> {
  const child = spawn(command, {
    shell: true,
    // A group of its own: the interrupt key reaches only this process, which lets the command finish.
    detached: process.platform !== 'win32',
    stdio: ['pipe', options.quiet ? 2 : 'inherit', 'pipe'],
    env: {
      ...process.env,
      SLUICE_EVENT_ID: event.event_id,
      SLUICE_EVENT_TYPE: event.event_type,
      SLUICE_ATTEMPT: String(event.attempt),
    },
  })
  // A command that does not read its stdin is none the worse for it.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(`${JSON.stringify(event)}\n`)
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text)
    said = (said + text).slice(-keptBytes)
  })
  const onAbort = (): void => killGroup(child)
  options.signal.addEventListener('abort', onAbort, { once: true })
  if (options.signal.aborted) onAbort()
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode, killedBy) => {
      options.signal.removeEventListener('abort', onAbort)
      resolve({ exitCode, killedBy, lastWords: said.trim().split('\n').at(-1) ?? '' })
    })
  })
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill()
    else process.kill(-child.pid, 'SIGTERM')
  } catch {
    // It has ended in this very moment.
  }
}
