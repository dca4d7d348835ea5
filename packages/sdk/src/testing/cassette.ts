import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Agent, type Dispatcher } from 'undici'
import { createScrubber, type Scrubber } from './scrub.ts'

type Kept = { readonly text: string } | { readonly base64: string }

/** One request and its answer, without secrets. */
type Interaction = {
  readonly method: string
  readonly url: string
  readonly request_headers: Readonly<Record<string, string | string[]>>
  readonly request_body: Kept
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Kept
}

type Tape = {
  readonly file: string
  readonly scrubber: Scrubber
  readonly interactions: Interaction[]
  readonly played: Set<Interaction>
}

/** Contexts of one process that share a file record into the same list, and replay from it. */
const tapes = new Map<string, Tape>()

export type CassetteOptions = { readonly file: string; readonly credentials: unknown }

/** Sends every request, and keeps it with its answer in the file, from which secrets are taken out. */
export function createRecorder({ file, credentials }: CassetteOptions): Dispatcher {
  const tape = openTape(file, () => [])
  tape.scrubber.learn(credentials)
  return new Agent().compose((dispatch) => (options, handler) => dispatch(options, keeping(tape, options, handler)))
}

/** Answers from the file, and sends nothing. */
export function createPlayer({ file, credentials }: CassetteOptions): Dispatcher {
  const tape = openTape(file, readInteractions)
  tape.scrubber.learn(credentials)
  return new Agent().compose(() => (options, handler) => {
    queueMicrotask(() => play(tape, options, handler))
    return true
  })
}

function openTape(file: string, read: (file: string) => Interaction[]): Tape {
  const tape = tapes.get(file) ?? { file, scrubber: createScrubber(), interactions: read(file), played: new Set() }
  tapes.set(file, tape)
  return tape
}

function readInteractions(file: string): Interaction[] {
  if (!existsSync(file))
    throw new Error(`there is no cassette ${file}; record it with: sluice integrations test FOLDER --record`)
  const { interactions } = JSON.parse(readFileSync(file, 'utf8')) as { interactions: Interaction[] } // written below
  return interactions
}

function keeping(
  tape: Tape,
  options: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
): Dispatcher.DispatchHandler {
  const parts: Buffer[] = []
  let head: Pick<Interaction, 'status' | 'headers'> = { status: 0, headers: {} }
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onResponseStart: (controller, status, headers, message) => {
      head = { status, headers: keptHeaders(headers) }
      handler.onResponseStart?.(controller, status, headers, message)
    },
    onResponseData: (controller, chunk) => {
      parts.push(Buffer.from(chunk))
      handler.onResponseData?.(controller, chunk)
    },
    onResponseEnd: (controller, trailers) => {
      if ('content-encoding' in head.headers)
        return handler.onResponseError?.(
          controller,
          new TypeError('a cassette keeps no compressed answer: ask for none'),
        )
      keep(tape, options, { ...head, bytes: Buffer.concat(parts) })
      handler.onResponseEnd?.(controller, trailers)
    },
    onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
  }
}

type Answered = Pick<Interaction, 'status' | 'headers'> & { readonly bytes: Buffer }

function keep(tape: Tape, options: Dispatcher.DispatchOptions, { status, headers, bytes }: Answered): void {
  const { scrubber, interactions, file } = tape
  // In this order: what is found to be secret in the fields may stand in both bodies.
  const request_headers = scrubber.headers(toHeaders(options.headers))
  const kept = { status, headers: scrubber.headers(headers), body: toKept(bytes, scrubber) }
  interactions.push({ ...toAsked(options, scrubber), request_headers, ...kept })
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ interactions }, undefined, 2)}\n`)
}

/** Those that are of this one connection are left out; the length changes with what is scrubbed. */
function keptHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[]> {
  const own = /^(connection|keep-alive|transfer-encoding|content-length)$/i
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined || own.test(name) ? [] : [[name, value]])),
  )
}

type Asked = Pick<Interaction, 'method' | 'url' | 'request_body'>

function toAsked({ method, origin, path, body }: Dispatcher.DispatchOptions, scrubber: Scrubber): Asked {
  const bytes = typeof body === 'string' || body instanceof Uint8Array ? Buffer.from(body) : Buffer.alloc(0)
  const request_body = toKept(bytes, scrubber)
  return { method, url: scrubber.text(`${String(origin ?? '')}${path}`), request_body }
}

function toKept(bytes: Buffer, scrubber: Scrubber): Kept {
  const text = bytes.toString()
  if (Buffer.from(text).equals(bytes)) return { text: scrubber.body(text) }
  return { base64: Buffer.from(scrubber.text(bytes.toString('latin1')), 'latin1').toString('base64') }
}

const fromKept = (kept: Kept): Buffer => ('text' in kept ? Buffer.from(kept.text) : Buffer.from(kept.base64, 'base64'))

function toHeaders(headers: Dispatcher.DispatchOptions['headers']): Record<string, unknown> {
  // `context.fetch` gives an object; lists of names and values come from other callers only.
  return typeof headers === 'object' && headers !== null && !(Symbol.iterator in headers) ? { ...headers } : {}
}

const never: Dispatcher.DispatchController = {
  aborted: false,
  paused: false,
  reason: null,
  abort: () => {},
  pause: () => {},
  resume: () => {},
}

function play(tape: Tape, options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
  // As when it was recorded: fields tell what is secret elsewhere.
  tape.scrubber.headers(toHeaders(options.headers))
  const asked = toAsked(options, tape.scrubber)
  const found = findInteraction(tape, asked)
  handler.onRequestStart?.(never, {})
  if (!found) return handler.onResponseError?.(never, notRecorded(tape, asked))
  tape.played.add(found)
  const bytes = fromKept(found.body)
  handler.onResponseStart?.(never, found.status, { ...found.headers })
  if (bytes.length > 0) handler.onResponseData?.(never, bytes)
  handler.onResponseEnd?.(never, {})
}

/** The next one that is the same, in the order of the recording; what only reads may be asked more often than it was. */
function findInteraction({ interactions, played }: Tape, asked: Asked): Interaction | undefined {
  const same = interactions.filter((one) => isSame(one, asked))
  return same.find((one) => !played.has(one)) ?? (asked.method === 'GET' ? same.at(-1) : undefined)
}

const isSame = (one: Asked, other: Asked): boolean =>
  one.method === other.method &&
  one.url === other.url &&
  fromKept(one.request_body).equals(fromKept(other.request_body))

function notRecorded({ file, interactions }: Tape, { method, url }: Asked): Error {
  const recorded = interactions.map((one) => `${one.method} ${one.url}`).slice(0, 10)
  // No second attempt would find it: `fetch` repeats none that is a TypeError.
  return new TypeError(
    `${method} ${url} is not in the cassette ${file} (any more), which has ${recorded.join(', ') || 'nothing'}; record it again with --record`,
  )
}
