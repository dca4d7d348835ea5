import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRead } from './idempotency.ts'
import type { Incoming, Intercept, Outgoing } from './intercept.ts'

/** A write request that was not sent. */
export type HeldRequest = {
  readonly method: string
  readonly url: string
  /** by lower-case name; what is secret by its name is left out */
  readonly headers: Readonly<Record<string, string>>
  /** as text, its beginning; null without one, or for bytes */
  readonly body: string | null
  /** it was answered with a recording; else the run ended here */
  readonly recorded: boolean
}

export type DryRun = {
  readonly intercept: Intercept
  readonly requests: () => readonly HeldRequest[]
  /** Resolves when the run has come to a write that no recording answers. */
  readonly stopped: Promise<void>
}

const bodyLength = 64 * 1024
const secretFields = /authorization|cookie|api|auth|secret|token|(?<!idempotency-)key/

/**
 * Lets reads through and sends no write: those are answered with what was recorded of the same method and path in
 * `FOLDER/cassettes`, each recording once, the last one for good. Where there is none the run has come to its end.
 *
 * @param then what goes on with reads, as `Intercept`
 */
export function createDryRun(folder: string, then: Intercept = (_, send) => send()): DryRun {
  const recordings = readRecordings(folder)
  const held: HeldRequest[] = []
  const stop = Promise.withResolvers<void>()
  return {
    intercept: async (request, send) => {
      if (isRead(request.method)) return then(request, send)
      const answer = recordings.next(request)
      held.push(toHeld(request, answer !== undefined))
      if (answer) return answer
      // Writes that were made at the same time are held, too.
      setImmediate(stop.resolve)
      return new Promise(() => {})
    },
    requests: () => held,
    stopped: stop.promise,
  }
}

function toHeld({ method, url, headers, body }: Outgoing, recorded: boolean): HeldRequest {
  const shown = Object.entries(headers).map(([name, value]) => [name, secretFields.test(name) ? '[redacted]' : value])
  return {
    method,
    url: url.href,
    headers: Object.fromEntries(shown),
    body: typeof body === 'string' ? body.slice(0, bodyLength) : null,
    recorded,
  }
}

/** As much of a cassette as is played here. */
type Recording = {
  readonly method: string
  readonly url: string
  readonly status: number
  readonly headers: Incoming['headers']
  readonly body: { readonly text: string } | { readonly base64: string }
}

type Recordings = { readonly next: (request: Outgoing) => Incoming | undefined }

function readRecordings(folder: string): Recordings {
  const byPlace = Map.groupBy(listRecordings(join(folder, 'cassettes')), ({ method, url }) =>
    toPlace(method, new URL(url)),
  )
  return {
    next: ({ method, url }) => {
      const found = byPlace.get(toPlace(method, url)) ?? []
      const recording = found.length > 1 ? found.shift() : found[0]
      if (!recording) return undefined
      const { status, headers, body } = recording
      const bytes = 'text' in body ? Buffer.from(body.text) : Buffer.from(body.base64, 'base64')
      return { status, headers, bytes }
    },
  }
}

const toPlace = (method: string, { origin, pathname }: URL): string => `${method} ${origin}${pathname}`

function listRecordings(folder: string): Recording[] {
  try {
    const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
    // `testing/cassette.ts` has written them.
    return files.flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).interactions as Recording[])
  } catch {
    return []
  }
}
