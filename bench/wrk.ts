import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { loadCore, toPinned } from './pin.ts'

/** Where the scripts of wrk find what they send: written as a Lua table. */
export type WrkInput = Readonly<Record<string, string | number | readonly string[]>>

type Options = {
  readonly url: string
  /** in `lua/` */
  readonly script: 'publish.lua' | 'get.lua' | 'lease.lua'
  readonly input: WrkInput
  /** a file that is not there yet */
  readonly inputFile: string
  readonly connections: number
  readonly seconds: number
}

export type WrkResult = {
  readonly requests: number
  readonly seconds: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** answers other than 2xx, and connections that broke */
  readonly failures: number
}

export function wrkVersion(): string | undefined {
  // It exits with 1 after printing its version.
  const { error, stdout } = spawnSync('wrk', ['--version'], { encoding: 'utf8' })
  return error ? undefined : /^wrk \S+/.exec(stdout)?.[0]
}

/** One bounded run of wrk, one thread, pinned to the core of the load. It stops by itself; what is in flight then stays unanswered. */
export async function runWrk({ url, script, input, inputFile, connections, seconds }: Options): Promise<WrkResult> {
  writeFileSync(inputFile, toLua(input))
  const file = fileURLToPath(new URL(`lua/${script}`, import.meta.url))
  const settings = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', file]
  const [command = 'wrk', ...args] = toPinned(loadCore, ['wrk', ...settings, url, '--', inputFile])
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  const line = /^BENCH (.*)$/m.exec(output)?.[1]
  if (line === undefined) throw new Error(`wrk gave no result: ${complaints}${output}`)
  const { requests, micros, p50, p99, failures } = JSON.parse(line) as Record<string, number> // printed by lua/result.lua
  if (requests === undefined || micros === undefined || p50 === undefined || p99 === undefined) throw new Error(line)
  return {
    requests,
    seconds: micros / 1e6,
    perSecond: requests / (micros / 1e6),
    p50Ms: p50 / 1000,
    p99Ms: p99 / 1000,
    failures: failures ?? 0,
  }
}

function toLua(input: WrkInput): string {
  const fields = Object.entries(input).map(([name, value]) => {
    if (Array.isArray(value)) return `${name} = {${value.map((item) => toLuaString(item)).join(',\n')}}`
    return `${name} = ${typeof value === 'number' ? value : toLuaString(String(value))}`
  })
  return `return {\n${fields.join(',\n')}\n}\n`
}

function toLuaString(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\r', '\\r').replaceAll('\n', '\\n')}"`
}
