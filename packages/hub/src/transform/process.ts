import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { findPackageJSON } from 'node:module'
import { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { HubError } from '@sluice/protocol'
import { readLines } from '../runner/read-lines.ts'
import { residentBytes } from '../runner/resident-bytes.ts'
import { lineBytes, type FromTransform, type ToTransform } from './messages.ts'

/** A process in which expressions run. */
export type TransformProcess = {
  /** One order at a time. Undefined when it took too long or too much memory, or the process has ended: then it is of no more use. */
  readonly ask: (order: ToTransform, deadlineMs: number) => Promise<FromTransform | undefined>
  readonly hasEnded: () => boolean
  readonly end: () => void
}

/** Of the heap, in MB. An event and what is made of it have a few at most. */
const heapMb = 64
/** Of all its memory: a process without work has 80 MB. */
const maxBytes = 256 * 1024 * 1024
const watchEveryMs = 50
const startMs = 20_000

/**
 * Without the hub's environment, with Node's permission model (its own code can be read, nothing written, nothing started), without
 * code made of texts. The time of a mapping does not begin before the process is there.
 *
 * @throws HubError `overloaded` when it does not start
 */
export async function startTransformProcess(): Promise<TransformProcess> {
  const file = new URL('child.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [...flags(), file], {
    cwd: import.meta.dirname,
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const started = openProcess(child)
  if ((await started.next(startMs))?.kind === 'ready') return started
  started.end()
  throw new HubError('overloaded', 'the process that runs expressions did not start', { retryAfterSeconds: 5 })
}

function flags(): string[] {
  const readable = [
    import.meta.dirname,
    join(import.meta.dirname, '..', 'runner', 'read-lines.ts'),
    join(import.meta.dirname, '..', '..', 'package.json'),
    dirname(findPackageJSON('jsonata', import.meta.url) ?? ''),
  ]
  const limits = [`--max-old-space-size=${heapMb}`, '--max-semi-space-size=4', '--stack-size=3900']
  return [
    '--permission',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    ...limits,
    '--disallow-code-generation-from-strings',
  ]
}

type Child = ChildProcessByStdio<Writable, Readable, null>
type Opened = TransformProcess & { readonly next: (withinMs: number) => Promise<FromTransform | undefined> }

function openProcess(child: Child): Opened {
  let hasEnded = false
  let onAnswer: ((answer: FromTransform | undefined) => void) | undefined
  const end = (): void => {
    hasEnded = true
    child.kill('SIGKILL')
    onAnswer?.(undefined)
  }
  // A process that ends breaks its pipes.
  for (const emitter of [child, child.stdin, child.stdout]) emitter.on('error', end)
  child.on('exit', end)
  readLines(child.stdout, {
    maxBytes: lineBytes,
    onLine: (line) => {
      const answer = parseAnswer(line)
      if (answer) onAnswer?.(answer)
      else end()
    },
    onTooLong: end,
  })
  // It does not keep the hub alive; what is asked of it does, by its timer.
  child.unref()
  for (const pipe of [child.stdin, child.stdout]) if (pipe instanceof Socket) pipe.unref()
  const next = (withinMs: number): Promise<FromTransform | undefined> =>
    new Promise((resolve) => {
      if (hasEnded) return resolve(undefined)
      const late = setTimeout(end, withinMs)
      const watch = setInterval(() => {
        if (residentBytes(child.pid) > maxBytes) end()
      }, watchEveryMs)
      onAnswer = (answer) => {
        onAnswer = undefined
        clearTimeout(late)
        clearInterval(watch)
        resolve(answer)
      }
    })
  const ask = (order: ToTransform, deadlineMs: number): Promise<FromTransform | undefined> => {
    child.stdin.write(`${JSON.stringify(order)}\n`)
    return next(deadlineMs)
  }
  return { ask, next, hasEnded: () => hasEnded, end }
}

const kinds: ReadonlySet<unknown> = new Set<FromTransform['kind']>(['ready', 'checked', 'made', 'fault'])

/** Undefined for what the child does not say: Node's last words. */
function parseAnswer(line: string): FromTransform | undefined {
  try {
    const answer = JSON.parse(line) as FromTransform // or else no object of a known kind
    return kinds.has(answer.kind) ? answer : undefined
  } catch {
    return undefined
  }
}
