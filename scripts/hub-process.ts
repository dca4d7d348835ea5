import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A hub in a process of its own, as a user starts it. */
export type HubProcess = {
  readonly url: string
  /** of the hub itself, even if a wrapper was started first */
  readonly pid: number
  /** null unless the store was empty */
  readonly apiKey: string | null
  /** what it has written to stderr so far */
  readonly log: () => string
  readonly isEnded: () => boolean
  /** SIGTERM, and waits for the end; answers the exit code */
  readonly stop: () => Promise<number | null>
  /** SIGKILL to the hub itself, and waits for the end */
  readonly kill: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export type HubProcessOptions = {
  readonly data: string
  /** 0, the default, takes a free one */
  readonly port?: number
  readonly env?: NodeJS.ProcessEnv
  /** a command with arguments that the hub is started through, such as a shell that sets a limit and then execs it */
  readonly wrapper?: readonly string[]
  /** default 15 s */
  readonly readyTimeoutMs?: number
  /** kills the hub if it is not ready yet when this is aborted */
  readonly signal?: AbortSignal
}

type Ready = { readonly ready: true; readonly pid: number; readonly url: string; readonly api_key: string | null }

const command = fileURLToPath(new URL('../packages/cli/bin/sluice.js', import.meta.url))

/**
 * Starts `sluice start --json` on 127.0.0.1 and waits for its ready line.
 *
 * @throws if the process ends or says nothing within `readyTimeoutMs`; the message holds what it wrote to stderr
 * @example await using hub = await startHub({ data: mkdtempSync('/tmp/hub-') })
 */
export async function startHub({ data, port = 0, ...options }: HubProcessOptions): Promise<HubProcess> {
  const hubArgs = ['start', '--json', '--data', data, '--port', String(port), '--host', '127.0.0.1']
  const line = [...(options.wrapper ?? []), process.execPath, command, ...hubArgs]
  const [file = process.execPath, ...args] = line
  const env = { ...process.env, SLUICE_LOG_LEVEL: 'warn', ...options.env }
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })

  let log = ''
  let isEnded = false
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    // Enough for a cause; a hub that logs a full disk for minutes must not fill this process.
    log = (log + text).slice(-64_000)
  })
  let hubPid: number | undefined
  const spare = endWithThisProcess(() => {
    // A wrapper that is killed leaves the hub behind it alone.
    if (hubPid !== undefined && hubPid !== child.pid) process.kill(hubPid, 'SIGKILL')
    child.kill('SIGKILL')
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    spare()
    isEnded = true
    return { code, signal }
  })

  const killEarly = (): void => void child.kill('SIGKILL')
  options.signal?.addEventListener('abort', killEarly)
  const readyTimeoutMs = options.readyTimeoutMs ?? 60_000
  const lines = createInterface({ input: child.stdout })
  const timeout = AbortSignal.timeout(readyTimeoutMs)
  const ready = await Promise.race([
    once(lines, 'line', { signal: timeout }).then(([text]) => parseReady(String(text))),
    ended.then(() => undefined),
  ]).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw new Error(`the hub was not ready within ${readyTimeoutMs} ms; it wrote: ${log}`, { cause: error })
  })
  options.signal?.removeEventListener('abort', killEarly)
  if (ready === undefined) throw new Error(`the hub ended before it was ready (${JSON.stringify(await ended)}): ${log}`)
  hubPid = ready.pid

  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (!isEnded) process.kill(ready.pid, signal)
    return (await ended).code
  }
  return {
    url: ready.url,
    pid: ready.pid,
    apiKey: ready.api_key,
    log: () => log,
    isEnded: () => isEnded,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    [Symbol.asyncDispose]: async () => void (await end('SIGTERM')),
  }
}

/**
 * A program that fails before it could stop what it has started must not leave it behind: `end` is called when this process
 * exits. Call what is returned once the other process has ended by itself.
 */
export function endWithThisProcess(end: () => void): () => void {
  process.once('exit', end)
  return () => void process.off('exit', end)
}

function parseReady(line: string): Ready {
  const value = JSON.parse(line) as Partial<Ready>
  if (value.ready !== true || value.pid === undefined || value.url === undefined) {
    throw new Error(`not a ready line: ${line}`)
  }
  return { ready: true, pid: value.pid, url: value.url, api_key: value.api_key ?? null }
}
