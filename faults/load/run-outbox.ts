import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endWithThisProcess } from '../../scripts/hub-process.ts'
import type { OutboxOrder, StepName } from './outbox-order.ts'

/** A relay that finds nothing to do takes few steps. */
const longestLifeMs = 4000

type RunOptions = {
  /** for what Node compiles */
  readonly cacheFolder: string
  /** counted from when it is ready; with a step in the order, it lives that long at most */
  readonly killAfterMs?: number | undefined
}

/**
 * Starts a doomed application or relay and waits for its end: by its own hand at the step of its order, or by ours.
 *
 * @returns the step at which it died; undefined if we have killed it
 * @throws if it ends in any other way
 */
export async function runDoomed(
  order: OutboxOrder,
  { cacheFolder, killAfterMs = longestLifeMs }: RunOptions,
): Promise<StepName | undefined> {
  const file = fileURLToPath(new URL('doomed-outbox.ts', import.meta.url))
  const child = spawn(process.execPath, [file, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: cacheFolder },
  })
  const reap = endWithThisProcess(() => child.kill('SIGKILL'))
  const ended = once(child, 'close').finally(reap)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  let diedAt: StepName | undefined
  const over = new AbortController()
  for await (const line of createInterface({ input: child.stdout })) {
    const words = JSON.parse(line) as { readonly ready?: true; readonly diedAt?: StepName }
    if (words.diedAt !== undefined) diedAt = words.diedAt
    if (words.ready)
      sleep(killAfterMs, undefined, { signal: over.signal }).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      )
  }
  const [code, signal] = await ended
  over.abort()
  if (signal !== 'SIGKILL') throw new Error(`the ${order.role} ended by itself with ${code ?? signal}: ${said}`)
  return diedAt
}
