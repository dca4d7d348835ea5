import { join } from 'node:path'
import { measureCpu, type LoadRun } from './cpu.ts'
import { eventBytes, partsOf } from './event.ts'
import { runWrk, type WrkInput, type WrkResult } from './wrk.ts'

export type Form = 'single' | 'ndjson' | 'json'

/** How a request of each form looks: the events, what stands between them and around them. */
const forms = {
  single: { path: '/v1/events', type: 'application/json', open: '', separator: '', close: '', per: 1, connections: 64 },
  ndjson: {
    path: '/v1/events/batch',
    type: 'application/x-ndjson',
    open: '',
    separator: '\n',
    close: '\n',
    per: 100,
    connections: 8,
  },
  json: {
    path: '/v1/events/batch',
    type: 'application/json',
    open: '{"events":[',
    separator: ',',
    close: ']}',
    per: 100,
    connections: 8,
  },
} as const

/** `rate` and `count` are of accepted events. */
export type SendResult = WrkResult & {
  readonly rate: number
  readonly count: number
  readonly accepted: number
  /** events whose answer may have been cut off when the load ended */
  readonly maxUnanswered: number
}

export type PublishResult = SendResult & LoadRun

type Load = {
  readonly url: string
  readonly apiKey: string
  readonly form: Form
  readonly seconds: number
  readonly folder: string
  /** default: 64 with single events, 8 with batches */
  readonly connections?: number
}

/** Numbers of events: each run of the load takes a range of its own, so that no event is ever sent twice. */
let nextCounter = 1_000_000_000
const countersARun = 100_000_000

/** The same as `sendEvents`, and what it costs the server. */
export async function runPublish({ pid, ...load }: Load & { readonly pid: number }): Promise<PublishResult> {
  const { answer, cpu } = await measureCpu(pid, () => sendEvents(load))
  return { ...answer, cpu }
}

/**
 * A bounded run of wrk that publishes events of 1 KB, single ones or batches of 100.
 *
 * @throws if a request was refused or broke
 */
export async function sendEvents({ url, apiKey, form, seconds, folder, ...load }: Load): Promise<SendResult> {
  const { per } = forms[form]
  const { connections = forms[form].connections } = load
  const start = nextCounter
  nextCounter += countersARun
  const input = toInput({ url, apiKey, form, start })
  const inputFile = join(folder, `publish-${start}.lua`)
  const result = await runWrk({ url, script: 'publish.lua', input, inputFile, connections, seconds })
  if (result.failures > 0) throw new Error(`${result.failures} of ${result.requests} requests failed`)
  const accepted = result.requests * per
  return {
    ...result,
    rate: accepted / result.seconds,
    count: accepted,
    accepted,
    maxUnanswered: connections * per,
  }
}

function toInput({ url, apiKey, form, start }: Pick<Load, 'url' | 'apiKey' | 'form'> & { start: number }): WrkInput {
  const { path, type, open, separator, close, per } = forms[form]
  const length = open.length + per * eventBytes + (per - 1) * separator.length + close.length
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${new URL(url).host}`,
    `Authorization: Bearer ${apiKey}`,
    `Content-Type: ${type}`,
    `Content-Length: ${length}`,
    '',
    open,
  ]
  const parts = Array.from({ length: 64 }, (_, index) => partsOf(index))
  return {
    head: head.join('\r\n'),
    tail: close,
    separator,
    per,
    start,
    prefixes: parts.map(({ prefix }) => prefix),
    suffixes: parts.map(({ suffix }) => suffix),
  }
}
