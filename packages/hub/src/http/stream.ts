import { toStructuredCloudEvent, toValidationError } from '@sluice/protocol'
import type { Context } from '../domain/context.ts'
import { requirePermission } from '../domain/authenticate.ts'
import { followInbox, type StreamItem } from '../domain/follow.ts'
import { streamLeases } from '../domain/lease-stream.ts'
import { createTicket } from '../domain/tickets.ts'
import { tailLog, type TailItem } from '../domain/tail.ts'
import { isAllowed } from './auth.ts'
import { toDefaultSource } from './cloudevents-out.ts'
import { json, type HubResponse } from './exchange.ts'
import type { Call, Handlers } from './call.ts'

export function streamHandlers(context: Context): Pick<Handlers, 'streamInbox' | 'createTicket' | 'tailEvents'> {
  return {
    tailEvents: ({ request, query, principal, confirm }) => {
      const { event_type: type, source, subject, per_second: perSecond } = query
      const filter = {
        ...(type !== undefined && { event_types: [type] }),
        ...(source !== undefined && { sources: [source] }),
        ...(subject !== undefined && { subjects: [subject] }),
      }
      const order = { filter, perSecond, signal: request.signal, isAllowed: () => isAllowed(confirm, 'read') }
      return { status: 200, headers: streamFields, body: toTailFrames(tailLog(context, principal.workspace, order)) }
    },
    streamInbox: async (call) => ({
      status: 200,
      headers: streamFields,
      body: toFrames(await openStream(context, call), toPrint(call)),
    }),
    createTicket: async ({ principal, params }) => json(200, await createTicket(context, principal, params.inbox)),
  }
}

const streamFields: HubResponse['headers'] = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // Proxies of the nginx family hold back what they think is a page.
  'x-accel-buffering': 'no',
}

async function openStream(context: Context, call: Call<'streamInbox'>): Promise<AsyncGenerator<StreamItem>> {
  const { request, params, query, principal, confirm } = call
  const { signal } = request
  const { workspace } = principal
  if (query.lease_seconds !== undefined) {
    if (query.format !== undefined)
      throw toValidationError([{ pointer: 'query.format', detail: 'is for streams without lease_seconds' }])
    requirePermission(principal, 'inbox')
    const { lease_seconds: leaseSeconds, limit } = query
    return streamLeases(context, workspace, params.inbox, {
      leaseSeconds,
      limit,
      signal,
      isAllowed: () => isAllowed(confirm, 'inbox'),
    })
  }
  // What a browser sends when it connects again goes before what its address said the first time.
  const cursor = request.header('last-event-id') ?? query.cursor
  return followInbox(context, workspace, params.inbox, {
    from: query.from,
    cursor,
    signal,
    isAllowed: () => isAllowed(confirm, 'inbox-read'),
  })
}

/** How an event stands in its frame. */
function toPrint({ query, principal }: Call<'streamInbox'>): (eventText: string) => string {
  const source = toDefaultSource(principal.workspace)
  return query.format === undefined
    ? (eventText) => eventText
    : (eventText) => toStructuredCloudEvent(eventText, source)
}

/** Proxies cut connections on which nothing has moved for a while. */
const keepAliveMs = 15_000

/** One frame an event; the id is the cursor. Events have no raw line break, so that each is one `data` line. */
async function* toFrames(
  items: AsyncGenerator<StreamItem>,
  print: (eventText: string) => string,
): AsyncGenerator<string> {
  let sentMs = performance.now()
  yield 'retry: 2000\n\n'
  for await (const item of items) {
    const now = performance.now()
    if (item !== 'idle' && item.text === '') yield `id: ${item.cursor}\n\n`
    else if (item !== 'idle') yield `event: event\nid: ${item.cursor}\ndata: ${print(item.text)}\n\n`
    else if (now - sentMs >= keepAliveMs) yield ': still here\n\n'
    else continue
    sentMs = now
  }
}

async function* toTailFrames(items: AsyncGenerator<TailItem>): AsyncGenerator<string> {
  let sentMs = 0
  for await (const item of items) {
    const now = performance.now()
    if (item !== 'idle')
      yield 'text' in item ? `event: event\ndata: ${item.text}\n\n` : `event: pace\ndata: ${JSON.stringify(item)}\n\n`
    else if (sentMs === 0 || now - sentMs >= keepAliveMs) yield ': still here\n\n'
    else continue
    sentMs = now
  }
}
