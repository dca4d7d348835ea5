import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyWithSecret, NewKey, Problem } from '@sluice/protocol'
import type { HubOptions } from './config.ts'
import { startHub, type Hub } from './main.ts'

/** A real hub on a folder of its own, for tests: requests go through memory, and time goes on only when told to. */
export type TestHub = {
  readonly hub: Hub
  readonly adminKey: string
  readonly call: <Body = unknown>(method: string, path: string, options?: CallOptions) => Promise<Answer<Body>>
  /** A call that must fail: its problem. */
  readonly fail: (method: string, path: string, options?: CallOptions) => Promise<Problem>
  readonly makeKey: (wanted: Partial<NewKey>) => Promise<string>
  readonly advance: (ms: number) => void
  readonly close: () => Promise<void>
} & AsyncDisposable

export type CallOptions = {
  /** texts and bytes go as they are, everything else as JSON */
  readonly body?: unknown
  /** the administrator's unless given; null sends none */
  readonly key?: string | null
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
  readonly remoteAddress?: string
}

type Answer<Body> = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Body
}

export async function openTestHub(options: Partial<HubOptions> = {}): Promise<TestHub> {
  const data = await mkdtemp(join(tmpdir(), 'sluice-hub-'))
  let nowMs = Date.UTC(2026, 0, 1)
  const hub = await startHub({
    data,
    host: '127.0.0.1',
    port: 0,
    secretKeys: [new Uint8Array(32).fill(7)],
    logLevel: 'silent',
    trustProxy: [],
    corsOrigins: [],
    roles: [],
    clock: () => nowMs,
    ...options,
  })
  const adminKey = hub.apiKey ?? ''
  const call = async <Body>(method: string, path: string, given: CallOptions = {}): Promise<Answer<Body>> => {
    const response = await hub.app.request(path, toInit(method, adminKey, given), {
      remoteAddress: given.remoteAddress ?? '203.0.113.9',
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') === true && text !== ''
    // The caller says what it expects; a test that is wrong about it fails.
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : text) as Body,
    }
  }
  const close = async (): Promise<void> => {
    await hub.close()
    await rm(data, { recursive: true })
  }
  return {
    hub,
    adminKey,
    call,
    fail: async (method, path, given) => {
      const { status, body, headers } = await call<Problem>(method, path, given)
      if (status < 400 || headers.get('content-type') !== 'application/problem+json') {
        throw new Error(`${method} ${path} answered ${status}, not a problem`)
      }
      return body
    },
    makeKey: async (wanted) => {
      const body = { user_id: 'tester', ...wanted }
      const made = await call<KeyWithSecret>('POST', '/v1/keys', { body })
      if (made.status !== 201) throw new Error(made.text)
      return made.body.api_key
    },
    advance: (ms) => {
      nowMs += ms
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function toInit(method: string, adminKey: string, { body, key = adminKey, headers, signal }: CallOptions): RequestInit {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array
  return {
    method,
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isRaw ? (body as string) : JSON.stringify(body) }), // fetch takes both
    ...(signal && { signal }),
  }
}
