import assert from 'node:assert/strict'
import type { Event, Problem, PutSource, SourceReport, WebhookAccepted } from '@sluice/protocol'
import { signMessage, type ToSign } from '@sluice/protocol/webhooks'
import { openTestHub, type TestHub } from '../test-hub.ts'

export const testSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
export const jsonType = { 'content-type': 'application/json' }

type Sent = { readonly headers?: Record<string, string>; readonly body?: string | Uint8Array; readonly path?: string }
export type Signing = Partial<Omit<ToSign, 'body' | 'secrets'>> & Sent & { readonly secret?: string }

type SourceAnswer = Partial<WebhookAccepted> & Partial<Pick<Problem, 'error_code'>>
type Answered = { readonly status: number; readonly body: SourceAnswer; readonly text: string }

/** A test hub, with sources and what their senders do, for tests. */
export type TestSource = TestHub & {
  readonly nowMs: () => number
  /** A source of its own, GitHub's unless said otherwise. Answers its key. */
  readonly makeSource: (wanted?: Partial<PutSource>) => Promise<string>
  readonly post: (key: string, sent: Sent) => Promise<Answered>
  /** Signed as the scheme has it, a GitHub message unless said otherwise. */
  readonly send: (key: string, signing: Signing) => Promise<Answered>
  readonly eventOf: (answer: Answered) => Promise<Event>
  readonly report: (key: string) => Promise<SourceReport>
}

export async function openTestSource(): Promise<TestSource> {
  const t = await openTestHub({ publicUrl: 'https://hub.example/base' })
  const nowMs = (): number => t.hub.store.nowMs()
  let made = 0
  const post: TestSource['post'] = (key, { headers = jsonType, body = '', path = `/in/${key}` }) =>
    t.call<SourceAnswer>('POST', path, { key: null, headers, ...(body.length > 0 && { body }) })
  return {
    ...t,
    nowMs,
    makeSource: async (wanted) => {
      const key = `s${(made += 1)}`
      const body = { scheme: 'github', secret: testSecret, ...wanted }
      const { status, text } = await t.call('PUT', `/v1/sources/${key}`, { body })
      assert.equal(status, 201, text)
      return key
    },
    post,
    send: async (key, { headers = jsonType, body = '{}', path, secret = testSecret, ...signing }) => {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body
      const message = { scheme: 'github', nowMs: nowMs(), target: `/in/${key}`, ...signing } as const
      const signed = await signMessage({ ...message, secrets: [secret], body: bytes })
      return post(key, { headers: { ...headers, ...signed }, body, ...(path !== undefined && { path }) })
    },
    eventOf: async ({ body: { event_id: id } }) => {
      const { status, body, text } = await t.call<Event>('GET', `/v1/events/${id}`)
      assert.equal(status, 200, text)
      return body
    },
    report: async (key) => (await t.call<SourceReport>('GET', `/v1/sources/${key}/report`)).body,
  }
}
