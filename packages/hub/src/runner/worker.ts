import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { parseAnswer, type Answer } from './envelope.ts'
import { answerBytes, answersFd, type ChildSetup, type ToChild } from './messages.ts'
import { readLines } from './read-lines.ts'
import { findReadable, sdkModules } from './readable.ts'
import { residentBytes } from './resident-bytes.ts'
import type { RunFailure, RunOrder } from './runner.ts'

/** One process, started for one folder and one workspace. */
export type Worker = {
  /** undefined once it is ready, or why it never will be */
  readonly ready: Promise<RunFailure | undefined>
  readonly ended: Promise<RunFailure>
  /** Sends an order. @param onAnswer what is said to it; answers to other orders are not heard */
  readonly send: (order: Extract<ToChild, { kind: 'run' }>, onAnswer: (answer: ToOrder) => void) => void
  /** Says something to the run under way. */
  readonly tell: (message: Exclude<ToChild, { kind: 'run' }>) => void
  /** what it has printed since the last order */
  readonly output: () => string
  /** Ends it. @param verdict how that is to be explained; the first one counts */
  readonly end: (verdict: RunFailure) => void
}

/** What comes of an order. */
export type ToOrder = Exclude<Answer, { kind: 'ready' }>

export type WorkerOptions = {
  /** private networks that handlers may reach */
  readonly allowCidr: readonly string[]
  readonly maxBytes: number
}

const outputBytes = 64 * 1024
const startMs = 20_000

export function startWorker(folder: string, { allowCidr, maxBytes }: WorkerOptions): Worker {
  const setup: ChildSetup = { folder, allowCidr, sdk: sdkModules() }
  const limits = [`--max-old-space-size=${Math.round((maxBytes / 1024 / 1024) * 0.75)}`]
  const readable = findReadable(folder).map((path) => `--allow-fs-read=${path}`)
  const file = new URL('child.ts', import.meta.url).pathname
  const child = spawn(process.execPath, ['--permission', ...readable, ...limits, file, JSON.stringify(setup)], {
    cwd: folder,
    env: {},
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  let verdict: RunFailure | undefined
  const output = collectOutput(child)
  const end = (why: RunFailure): void => {
    verdict ??= why
    child.kill('SIGKILL')
  }
  const ended = new Promise<RunFailure>((resolve) => {
    child.once('error', (error) =>
      resolve({ reason: 'crashed', message: `the process could not be started: ${error.message}` }),
    )
    child.once('exit', (code, killedBy) => resolve(verdict ?? toFailure(code, killedBy, output.text())))
  })
  const channel = openChannel(child, end)
  const starting = setTimeout(
    () => end({ reason: 'timed-out', message: `the handlers were not loaded within ${startMs} ms` }),
    startMs,
  )
  const ready = Promise.race([channel.ready, ended])
  void ready.then(() => clearTimeout(starting))
  watchMemory(child, { maxBytes, end, ended })
  return {
    ready,
    ended,
    send: (message, onAnswer) => {
      output.clear()
      channel.send(message, onAnswer)
    },
    tell: channel.tell,
    output: output.text,
    end,
  }
}

type Channel = Pick<Worker, 'send' | 'tell'> & { readonly ready: Promise<undefined> }

/** Orders go out as lines of JSON, answers come back as such; whatever else comes back ends the process. */
function openChannel(child: ChildProcess, end: Worker['end']): Channel {
  let kind: RunOrder['call']['kind'] | undefined
  let expected: { readonly id: number; readonly onAnswer: Parameters<Worker['send']>[1] } | undefined
  let isReady = (): void => {}
  const ready = new Promise<undefined>((resolve) => (isReady = () => resolve(undefined)))
  const answers = child.stdio[answersFd] as Readable // the third pipe
  // A process that ends breaks them; its exit says why.
  for (const stream of [child.stdin, child.stdout, child.stderr, answers]) stream?.on('error', () => {})
  readLines(answers, {
    maxBytes: answerBytes,
    onLine: (line) => {
      const answer = parseAnswer(line, kind)
      if (!answer) return end({ reason: 'crashed', message: 'the handler answered something that is no result' })
      if (answer.kind === 'ready') return isReady()
      if (answer.id === expected?.id) expected.onAnswer(answer)
    },
    onTooLong: () =>
      end({ reason: 'too-much-memory', message: `the run answered with more than ${answerBytes} bytes` }),
  })
  const write = (message: ToChild): void => void child.stdin?.write(`${JSON.stringify(message)}\n`)
  return {
    ready,
    send: (message, onAnswer) => {
      kind = message.order.call.kind
      expected = { id: message.id, onAnswer }
      write(message)
    },
    tell: write,
  }
}

function collectOutput(child: ChildProcess): { readonly text: () => string; readonly clear: () => void } {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      text = (text + part).slice(-outputBytes)
    })
  }
  return { text: () => text, clear: () => void (text = '') }
}

const watchEveryMs = 200
type Watch = Pick<Worker, 'end' | 'ended'> & { readonly maxBytes: number }

/** Buffers lie outside of the heap that Node limits. Where the system does not tell, that limit alone holds. */
function watchMemory(child: ChildProcess, { maxBytes, end, ended }: Watch): void {
  const timer = setInterval(() => {
    if (residentBytes(child.pid) <= maxBytes) return
    end({
      reason: 'too-much-memory',
      message: `the run took more than ${Math.round(maxBytes / 1024 / 1024)} MB of memory`,
    })
  }, watchEveryMs)
  timer.unref()
  void ended.then(() => clearInterval(timer))
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

/** The error that Node printed when it gave up, with the file that it was kept from; or else the last line. */
function findLastWords(output: string): string {
  const lines = output.trim().split('\n')
  const error = lines.findLast((line) => /^\s*(\[?[A-Za-z.]*Error\b|Uncaught)/.test(line))
  const resource = /ERR_ACCESS_DENIED[^]*?resource: '([^']+)'/.exec(output)?.[1]
  const denied =
    resource === undefined
      ? ''
      : ` It may not read ${resource}: only its own folder and the packages that its package.json names.`
  return ((error ?? lines.at(-1) ?? '').trim().slice(0, 500) + denied).trim()
}
