import { toStructuredCloudEvent, type InboxPush } from '@sluice/protocol'
import { signMessage } from '@sluice/protocol/webhooks'
import { AddressRefusedError } from '@sluice/sdk/outbound'
import type { Context, Workspace } from '../context.ts'
import { activeSecrets, type PushSecrets } from './push-secrets.ts'

export type PushOf = {
  readonly context: Context
  readonly workspace: Workspace
  readonly push: InboxPush
  readonly secrets: PushSecrets
}

export type PushMessage = {
  /** the event as JSON text, the same for each attempt */
  readonly text: string
  readonly id: string
  readonly attempt: number
  readonly traceparent?: string | undefined
}

/** `status` is null where there was no answer. */
export type PushAnswer = {
  readonly status: number | null
  readonly result: string
  readonly detail: string
  readonly retryAfter: string | undefined
}

const defaultTimeoutSeconds = 15
/** Of an answer that nobody asked to be long. */
const answerBytes = 16 * 1024
const shownCharacters = 500

/** Sends one event, signed. No redirect is followed, and the address that is connected to is one that was checked. */
export async function sendPush(of: PushOf, message: PushMessage, signal: AbortSignal): Promise<PushAnswer> {
  const { context, push } = of
  const { body, contentType } = toBody(of, message)
  const timeout = AbortSignal.timeout((push.timeout_seconds ?? defaultTimeoutSeconds) * 1000)
  try {
    const { origin, pathname, search } = new URL(push.url)
    const {
      statusCode: status,
      headers,
      body: answer,
    } = await context.outbound.dispatcher.request({
      origin,
      path: pathname + search,
      method: 'POST',
      headers: { ...of.secrets.headers, ...(await toHeaders(of, message, body)), 'content-type': contentType },
      body,
      signal: AbortSignal.any([signal, timeout]),
    })
    const detail = await readBeginning(answer)
    return { status, result: `http-${status}`, detail, retryAfter: headers['retry-after']?.toString() }
  } catch (error) {
    return { status: null, retryAfter: undefined, ...toTrouble(error, timeout) }
  }
}

function toBody({ push, workspace }: PushOf, { text }: PushMessage): { body: Buffer; contentType: string } {
  if (push.format !== 'cloudevents') return { body: Buffer.from(text), contentType: 'application/json' }
  const event = toStructuredCloudEvent(text, { source: `/workspaces/${workspace.key}` })
  return { body: Buffer.from(event), contentType: 'application/cloudevents+json' }
}

async function toHeaders(
  of: PushOf,
  { id, attempt, traceparent }: PushMessage,
  body: Buffer,
): Promise<Record<string, string>> {
  const { context, workspace, secrets } = of
  const nowMs = context.store.nowMs()
  const keys = [...activeSecrets(secrets, nowMs), context.signingKeys.privateKeyOf(workspace.key)]
  const signed = await signMessage({ scheme: 'standard-webhooks', secrets: keys, body, nowMs, id })
  return {
    ...signed,
    'webhook-attempt': String(attempt),
    'user-agent': 'Sluice',
    ...(traceparent !== undefined && { traceparent }),
  }
}

/** What is not read is thrown away with the connection. */
async function readBeginning(answer: AsyncIterable<Uint8Array> & { destroy: () => unknown }): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of answer) {
    parts.push(part)
    size += part.length
    if (size > answerBytes) break
  }
  return Buffer.concat(parts).toString('utf8').slice(0, shownCharacters).replaceAll('\0', '')
}

function toTrouble(error: unknown, timeout: AbortSignal): Pick<PushAnswer, 'result' | 'detail'> {
  const detail = error instanceof Error ? error.message : String(error)
  if (error instanceof AddressRefusedError) return { result: 'address-refused', detail }
  if (timeout.aborted) return { result: 'timed-out', detail: 'there was no whole answer in time' }
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
  return { result: 'not-reached', detail: `${detail}${code}`.slice(0, shownCharacters) }
}
