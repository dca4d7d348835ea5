import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { UnprivilegedUser } from './unprivileged-user.ts'

export type TetherPlan = {
  readonly file: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** the working directory; removed if this process ends without having ended the command */
  readonly folder: string
  /** gets stdout and stderr */
  readonly logFile: string
  /** what ends the command at once */
  readonly abandonSignal: NodeJS.Signals
  readonly user: UnprivilegedUser | undefined
}

/** A command that ends with this process, even if this one is killed. It does not keep this process alive. */
export type TetheredProcess = {
  readonly pid: number
  readonly isEnded: () => boolean
  /** waits for the end and answers the exit code, 1 after a signal */
  readonly wait: () => Promise<number>
  /** sends the signal and waits for the end */
  readonly end: (signal: NodeJS.Signals) => Promise<number>
}

const tether = fileURLToPath(new URL('tether.ts', import.meta.url))

/** @throws if the command cannot be started; its own failures are an exit code and what stands in its log */
export async function startTethered(plan: TetherPlan): Promise<TetheredProcess> {
  // A group of its own: Ctrl-C is for this process, whose end then ends the command in order.
  const child = spawn(process.execPath, [tether, JSON.stringify(plan)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.on('error', () => undefined)
  let isEnded = false
  const ended = once(child, 'exit').then(([code]): number => {
    isEnded = true
    return code ?? 1
  })

  const started = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([line]) => JSON.parse(line) as { pid: number }),
    ended.then(() => undefined),
  ])
  if (started === undefined) throw new Error(`${plan.file} could not be started`)

  child.unref()
  // The pipes of a child are sockets, which its type does not say.
  for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as Socket).unref()

  const wait = async (): Promise<number> => {
    child.ref()
    return ended
  }
  return {
    pid: started.pid,
    isEnded: () => isEnded,
    wait,
    end: async (signal) => {
      if (!isEnded) child.stdin.write(`${signal}\n`)
      return wait()
    },
  }
}
