import { HubError } from '@sluice/protocol'
import type { InboxRow, LeaseGrant } from '../store/store.ts'
import type { Context, Workspace } from './context.ts'
import { inboxScope } from './cursors.ts'
import { tickMs, type StreamItem } from './follow.ts'
import { requireInbox } from './inboxes.ts'
import { giveBack, takeOrWait } from './lease.ts'
import { createSleeper } from './notifier.ts'
import { toEventText, toIso } from './to-wire.ts'

export type LeaseStreamRequest = {
  readonly leaseSeconds: number
  /** events out at a time: more are leased as these are settled, or their lease ends */
  readonly limit: number
  readonly signal: AbortSignal
  /** asked about once a second: a stream ends when its key does */
  readonly isAllowed: () => Promise<boolean>
}

/** Competes for the work of an inbox: each item carries its lease. What was leased and not sent is given back at the end. */
export async function streamLeases(
  context: Context,
  workspace: Workspace,
  key: string,
  request: LeaseStreamRequest,
): Promise<AsyncGenerator<StreamItem>> {
  const inbox = await requireInbox(context, workspace, key)
  return endWithInbox(stream({ context, workspace, inbox, request }))
}

/** An inbox that is removed ends its streams: that is no failure. */
async function* endWithInbox(items: AsyncGenerator<StreamItem>): AsyncGenerator<StreamItem> {
  try {
    yield* items
  } catch (error) {
    if (!(error instanceof HubError && error.code === 'not-found')) throw error
  }
}

type Streaming = {
  readonly context: Context
  readonly workspace: Workspace
  readonly inbox: InboxRow
  readonly request: LeaseStreamRequest
}

async function* stream(streaming: Streaming): AsyncGenerator<StreamItem> {
  const { context, workspace, inbox, request } = streaming
  const { signal, leaseSeconds, limit } = request
  const window = openWindow(context, workspace, inbox)
  let checkedMs = performance.now()
  try {
    while (!signal.aborted && !context.notifier.isClosed()) {
      if (performance.now() - checkedMs >= tickMs) {
        checkedMs = performance.now()
        if (!(await request.isAllowed()) || !(await context.store.findInbox(workspace.id, inbox.key))) return
      }
      const room = limit - window.countOpen()
      if (room <= 0) {
        await window.wait(tickMs, signal)
        yield 'idle'
        continue
      }
      const order = { leaseId: context.newId(), limit: room, leaseMs: leaseSeconds * 1000 }
      const grant = await takeOrWait(
        { context, workspace, key: inbox.key, order, signal },
        inbox.settings.filter,
        tickMs,
      )
      if (grant.events.length === 0) yield 'idle'
      else yield* handOut(streaming, window, { ...grant, leaseId: order.leaseId })
    }
  } finally {
    window.close()
  }
}

async function* handOut(
  { context, workspace, inbox, request }: Streaming,
  window: Window,
  { leaseId, untilMs, events }: LeaseGrant & { readonly leaseId: string },
): AsyncGenerator<StreamItem> {
  const unsent = new Set(events.map(({ position }) => position))
  const scope = inboxScope(workspace, inbox.key)
  const endMs = untilMs ?? 0
  window.open(leaseId, endMs)
  try {
    for (const event of events) {
      // A reader so slow that the lease ran out meanwhile: somebody else may hold the event by now.
      if (request.signal.aborted || context.notifier.isClosed() || context.store.nowMs() >= endMs) return
      unsent.delete(event.position)
      window.add(leaseId, event.position)
      const lease = JSON.stringify({ lease_id: leaseId, leased_until: toIso(endMs) }).slice(0, -1)
      yield {
        cursor: context.cursors.seal(scope, String(event.position)),
        text: `${lease},"event":${toEventText(workspace, event, event.attempt)}}`,
      }
    }
  } finally {
    if (unsent.size > 0) await giveBack(context, { workspace, inbox: inbox.key, leaseId, positions: [...unsent] })
  }
}

/** What the consumer of a stream has been given and has not settled yet. */
type Window = {
  readonly open: (leaseId: string, untilMs: number) => void
  readonly add: (leaseId: string, position: number) => void
  /** leases that have ended count no more */
  readonly countOpen: () => number
  /** until one is settled */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  readonly close: () => void
}

type OpenLease = { untilMs: number; readonly positions: Set<number>; readonly forget: () => void }

function openWindow(context: Context, workspace: Workspace, inbox: InboxRow): Window {
  const leases = new Map<string, OpenLease>()
  const sleeper = createSleeper()
  return {
    open: (leaseId, untilMs) => {
      const lease: OpenLease = {
        untilMs,
        positions: new Set(),
        forget: context.leaseWatch.listen(
          { workspaceId: workspace.id, inbox: inbox.key, leaseId },
          {
            settled: (positions) => {
              for (const position of positions ?? [...lease.positions]) lease.positions.delete(position)
              sleeper.nudge()
            },
            extended: (ms) => {
              lease.untilMs = ms
            },
          },
        ),
      }
      leases.set(leaseId, lease)
    },
    add: (leaseId, position) => void leases.get(leaseId)?.positions.add(position),
    countOpen: () => {
      sleeper.begin()
      const now = context.store.nowMs()
      let count = 0
      for (const [leaseId, lease] of leases) {
        if (lease.positions.size > 0 && lease.untilMs > now) {
          count += lease.positions.size
          continue
        }
        lease.forget()
        leases.delete(leaseId)
      }
      return count
    },
    wait: sleeper.wait,
    close: () => {
      for (const { forget } of leases.values()) forget()
    },
  }
}
