import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'

/** Two cores: the server's main thread on the first, what loads it on the second. Threads of the store and of V8 go where they like. */
export const serverCore = 0
export const loadCore = 1

const canPin = cpus().length > 1 && spawnSync('taskset', ['--version']).error === undefined

/** Pins the main thread of a process; threads that it has started already stay free. */
export function pinMainThread(pid: number, core: number): void {
  if (canPin) spawnSync('taskset', ['-c', '-p', String(core), String(pid)])
}

/** A command with its arguments, pinned as a whole. */
export function toPinned(core: number, command: readonly string[]): readonly string[] {
  return canPin ? ['taskset', '-c', String(core), ...command] : command
}

/**
 * Pins this process's main thread to the load's core until disposed, for loads that are made in it. Everything that is
 * started meanwhile inherits the pin, so start servers before.
 */
export function pinLoad(): Disposable {
  pinMainThread(process.pid, loadCore)
  return {
    [Symbol.dispose]: () => {
      if (canPin) spawnSync('taskset', ['-c', '-p', `0-${cpus().length - 1}`, String(process.pid)])
    },
  }
}

export function describePinning(): string {
  if (!canPin) return 'nothing pinned (one core, or taskset is missing)'
  return `main thread of the server (hub or reference) on core ${serverCore}, load (wrk or Node) on core ${loadCore}; writer, reader, checkpoint and V8 threads free`
}
