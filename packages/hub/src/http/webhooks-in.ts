import { HubError, defaultWorkspace } from '@sluice/protocol'
import type { Context } from '../domain/context.ts'
import { answerChallenge, permitOrigin } from '../domain/sources/handshake.ts'
import { findSourceAt, receiveWebhook, type Inbound, type Received } from '../domain/sources/receive.ts'
import { settingsOf } from '../domain/sources/sources.ts'
import { isPacked, unpack } from './body.ts'
import { createHolding, type BodyBudget } from './body-budget.ts'
import type { Handlers } from './call.ts'
import { traceOf } from './events.ts'
import { json, type HubRequest, type HubResponse } from './exchange.ts'
import type { Strangers } from './strangers.ts'

type Parts = {
  readonly context: Context
  readonly strangers: Strangers
  readonly budget: BodyBudget
  readonly publicUrl: string | undefined
}

type WebhookRoute = 'receiveWebhook' | 'confirmWebhook' | 'permitWebhook'

/** The alias has no workspace in it. */
const placeOf = (params: { readonly workspace?: string; readonly source: string }) => ({
  workspace: params.workspace ?? defaultWorkspace,
  source: params.source,
})

/** Addresses that take webhooks: whoever sends there knows no keys of this hub. */
export function webhookHandlers(parts: Parts): Pick<Handlers, WebhookRoute> {
  const { context } = parts
  return {
    receiveWebhook: async ({ request, params }) => {
      const at = await findSourceAt(context, placeOf(params))
      const holding = createHolding()
      try {
        const inbound = toInbound(parts, request, (bytes) => holding.hold(parts.budget, at.workspace.id, bytes))
        return toResponse(await receiveWebhook(context, at, inbound))
      } finally {
        holding.release()
      }
    },
    confirmWebhook: async ({ request, params }) => {
      const { row } = await findSourceAt(context, placeOf(params))
      const challenge = answerChallenge(settingsOf(row).handshake, request.queryText)
      if (challenge === undefined) throw closed('GET')
      const shut = { 'x-content-type-options': 'nosniff', 'content-security-policy': "sandbox; default-src 'none'" }
      return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8', ...shut }, body: challenge }
    },
    permitWebhook: async ({ request, params }) => {
      const { row } = await findSourceAt(context, placeOf(params))
      const headers = permitOrigin(settingsOf(row).handshake, request.header)
      if (!headers) throw closed('OPTIONS')
      return { status: 204, headers, body: null }
    },
  }
}

const closed = (method: string): HubError =>
  new HubError(
    'method-not-allowed',
    `${method} is not possible here: webhooks are posted, and the handshake of this source is another one`,
    {
      details: { allow: ['POST'] },
    },
  )

/** @param hold bytes that are being worked on, once they are proven */
function toInbound({ strangers, publicUrl }: Parts, request: HubRequest, hold: (bytes: number) => void): Inbound {
  const target = request.queryText === '' ? request.path : `${request.path}?${request.queryText}`
  const prefix = publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/$/, '')
  return {
    header: request.header,
    headerNames: request.headerNames,
    method: request.method,
    targets: prefix === '' ? [target] : [target, prefix + target],
    urls: toUrls(request, target, publicUrl),
    ...traceOf(request),
    read: ({ id, limit }) => strangers.read(request, { keyId: `source/${id}`, limit }),
    unpack: async (body, limit) => {
      // A packed body stands beside what it unpacks to, and an event beside both.
      const isWrapped = isPacked(request)
      hold(body.length * 3 + (isWrapped ? limit : 0))
      return isWrapped ? unpack(body, limit) : body
    },
  }
}

/** Behind a proxy the hub does not see which scheme the sender used; what it signed says so. */
function toUrls(request: HubRequest, target: string, publicUrl: string | undefined): string[] {
  const host = request.header('host') ?? ''
  const own = publicUrl === undefined ? [] : [`${publicUrl.replace(/\/$/, '')}${target}`]
  return [...own, `https://${host}${target}`, `http://${host}${target}`]
}

function toResponse(received: Received): HubResponse {
  if (received.kind === 'answer') return json(200, received.body)
  const { status, eventId, timestamp } = received.published
  return json(status === 'duplicate' ? 200 : 202, { event_id: eventId, timestamp, status })
}
