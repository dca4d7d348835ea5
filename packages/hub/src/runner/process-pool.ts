import { fork, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createQueue, type Slot } from './queue.ts'
import type { ChildSetup, FromChild, ToChild } from './messages.ts'
import type { RunFailure, RunOrder, RunOutcome, Runner } from './runner.ts'

export type PoolOptions = {
  /** private networks that handlers may reach */
  readonly allowCidr: readonly string[]
  /** processes at a time, default 8: each runs one handler */
  readonly processes?: number
  /** runs that may wait for one, default 1,000 */
  readonly maxWaiting?: number
  /** of memory, for one process, default 512 MB; it is ended beyond */
  readonly maxBytes?: number
  /** an idle process is ended after this, default 60,000 */
  readonly idleMs?: number
}

const outputBytes = 64 * 1024
const watchEveryMs = 200
const startMs = 20_000

/** One process, started for one folder and one workspace. */
type Worker = {
  readonly child: ChildProcess
  readonly ready: Promise<RunFailure | undefined>
  /** what it has printed in this run */
  output: string
  /** how its end is to be explained, if it was ended from here */
  verdict: RunFailure | undefined
  onDone: ((message: Extract<FromChild, { kind: 'done' }>) => void) | undefined
  readonly ended: Promise<RunFailure>
}

/**
 * Runs handlers in processes of their own: without the hub's environment, with Node's permission model (the integration's
 * folder and the packages can be read, nothing written, nothing started), a limit of memory, and sockets to public addresses
 * only. A process serves one run at a time, so that what one does to it, no other run feels; it is used again if all went well.
 *
 * @example const runner = openProcessPool({ allowCidr: [] })
 */
export function openProcessPool(options: PoolOptions): Runner {
  const { processes = 8, maxWaiting = 1000, idleMs = 60_000 } = options
  const queue = createQueue<Worker>({
    slots: processes,
    maxWaiting,
    idleMs,
    retire: (worker) => void worker.child.kill('SIGKILL'),
  })
  const busy = new Set<AbortController>()
  let lastId = 0
  return {
    run: async (order, signal) => {
      const slot = await queue.take(`${order.workspaceId}\0${order.folder}`, signal)
      const startedMs = performance.now()
      lastId += 1
      const stop = new AbortController()
      busy.add(stop)
      const until = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
      const outcome = await runOn(slot, { order, options, signal: until, id: lastId }).finally(() => busy.delete(stop))
      return { ...outcome, ms: Math.round(performance.now() - startedMs) }
    },
    close: async (graceMs = 0) => {
      const timer = setTimeout(() => {
        for (const stop of busy) stop.abort()
      }, graceMs)
      await queue.close()
      clearTimeout(timer)
    },
  }
}

type Job = {
  readonly order: RunOrder
  readonly options: PoolOptions
  readonly signal: AbortSignal | undefined
  readonly id: number
}

async function runOn(slot: Slot<Worker>, { order, options, signal, id }: Job): Promise<Omit<RunOutcome, 'ms'>> {
  const worker = slot.resource ?? start(order.folder, options)
  worker.output = ''
  const end = (verdict: RunFailure): void => {
    worker.verdict ??= verdict
    worker.child.kill('SIGKILL')
  }
  const timer = setTimeout(
    () => end({ reason: 'timed-out', message: `the run took longer than ${order.deadlineMs} ms` }),
    order.deadlineMs,
  )
  const onAbort = (): void => end({ reason: 'cancelled', message: 'the run was cancelled' })
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  try {
    const result = (await worker.ready) ?? (await exchange(worker, { id, order }))
    const isGood = 'type' in result
    slot.give(isGood ? worker : undefined)
    if (!isGood) worker.child.kill('SIGKILL')
    return { result, output: worker.output }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

async function exchange(worker: Worker, message: ToChild): Promise<RunOutcome['result']> {
  const done = new Promise<RunOutcome['result']>((resolve) => {
    worker.onDone = ({ id, envelope }) => {
      if (id === message.id) resolve(envelope)
    }
  })
  const { call, auth, metadata } = message.order
  worker.child.send({ id: message.id, order: { call, auth, metadata } } satisfies ToChild, () => {})
  return Promise.race([done, worker.ended])
}

const childFile = new URL('child.ts', import.meta.url)

function start(folder: string, { allowCidr, maxBytes = 512 * 1024 * 1024 }: PoolOptions): Worker {
  const setup: ChildSetup = { folder, allowCidr }
  const child = fork(childFile, [JSON.stringify(setup)], {
    cwd: folder,
    env: {},
    execArgv: [...permissions(folder), `--max-old-space-size=${Math.round((maxBytes / 1024 / 1024) * 0.75)}`],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  const ended = new Promise<RunFailure>((resolve) => {
    child.once('error', (error) =>
      resolve({ reason: 'crashed', message: `the process could not be started: ${error.message}` }),
    )
    child.once('exit', (code, killedBy) => resolve(worker.verdict ?? toFailure(code, killedBy, worker.output)))
  })
  const ready = new Promise<RunFailure | undefined>((resolve) => {
    child.on('message', (message: FromChild) => {
      if (message.kind === 'ready') resolve(undefined)
      else worker.onDone?.(message)
    })
    void ended.then(resolve)
  })
  const worker: Worker = { child, ready, ended, output: '', verdict: undefined, onDone: undefined }
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      worker.output = (worker.output + text).slice(-outputBytes)
    })
  }
  watchMemory(worker, maxBytes)
  const starting = setTimeout(() => {
    worker.verdict ??= { reason: 'timed-out', message: `the handlers were not loaded within ${startMs} ms` }
    child.kill('SIGKILL')
  }, startMs)
  void ready.then(() => clearTimeout(starting))
  return worker
}

/** What a handler needs to be loaded, and no more. */
function permissions(folder: string): string[] {
  const require = createRequire(import.meta.url)
  const packageOf = (name: string): string => dirname(dirname(require.resolve(name)))
  const own = [import.meta.dirname, join(import.meta.dirname, '..', '..', 'package.json')]
  const readable = [folder, packageOf('@sluice/sdk/integration'), dirname(packageOf('ajv')), ...own]
  return ['--permission', ...readable.map((path) => `--allow-fs-read=${path}`)]
}

/** Buffers lie outside of the heap that Node limits. Where the system does not tell, that limit alone holds. */
function watchMemory(worker: Worker, maxBytes: number): void {
  const { child } = worker
  const timer = setInterval(() => {
    if (residentBytes(child.pid) <= maxBytes) return
    const message = `the run took more than ${Math.round(maxBytes / 1024 / 1024)} MB of memory`
    worker.verdict ??= { reason: 'too-much-memory', message }
    child.kill('SIGKILL')
  }, watchEveryMs)
  timer.unref()
  void worker.ended.then(() => clearInterval(timer))
}

const pageBytes = 4096

function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes
  } catch {
    return 0
  }
}

function toFailure(code: number | null, killedBy: NodeJS.Signals | null, output: string): RunFailure {
  if (/heap out of memory|Allocation failed/.test(output))
    return { reason: 'too-much-memory', message: 'the run took more memory than it may' }
  const lastWords = findLastWords(output)
  const said = lastWords === '' ? '' : `: ${lastWords}`
  if (killedBy !== null) return { reason: 'crashed', message: `the process was ended by ${killedBy}${said}` }
  if (code === 0) return { reason: 'exited', message: 'the handler ended its process' }
  return { reason: 'crashed', message: `the process ended with exit code ${code}${said}` }
}

/** The error that Node printed when it gave up, or else the last line. */
function findLastWords(output: string): string {
  const lines = output.trim().split('\n')
  const error = lines.findLast((line) => /^\s*(\[?[A-Za-z.]*Error\b|Uncaught)/.test(line))
  return (error ?? lines.at(-1) ?? '').trim().slice(0, 500)
}
