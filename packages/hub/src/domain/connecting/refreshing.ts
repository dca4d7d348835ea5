import { setTimeout as pause } from 'node:timers/promises'
import type { ConnectionRow } from '../../store/connections.ts'
import type { Context } from '../context.ts'
import { findTokenMethod, refreshConnection } from './open-auth.ts'

export type Refreshing = { readonly close: () => Promise<void> }

const everyMs = 1000
/** Requests to providers at a time, of this node. */
const atOnce = 8

/** Refreshes tokens when their time has come, so that no run has to wait for it. Each is done by one node at a time. */
export function startRefreshing(context: Context, onError: (error: unknown) => void): Refreshing {
  const closing = new AbortController()
  const running = new Map<string, Promise<void>>()
  const round = async (): Promise<void> => {
    for (const { workspaceId, key } of await context.store.connections.listDue(2 * atOnce)) {
      const name = `${workspaceId}/${key}`
      if (running.size >= atOnce || running.has(name)) continue
      const run = refreshDue(context, workspaceId, key)
        .catch(onError)
        .finally(() => running.delete(name))
      running.set(name, run)
    }
  }
  const loop = (async () => {
    while (!closing.signal.aborted) {
      await round().catch(onError)
      await pause(everyMs, undefined, { signal: closing.signal, ref: false }).catch(() => {})
    }
  })()
  return {
    close: async () => {
      closing.abort()
      // What is under way is waited for by the refresher itself.
      await loop
    },
  }
}

/** Another node may have the integration, or the method, that this one has not. */
const absentMs = 600_000

async function refreshDue(context: Context, workspaceId: number, key: string): Promise<void> {
  const row = await context.store.connections.find(workspaceId, key)
  if (!row) return
  try {
    const installed = context.installed.get(row.integration)
    const method = installed && findTokenMethod(installed, row)
    if (method) return void (await refreshConnection(context, { installed, method, row }))
  } catch (error) {
    // First in line they would keep the others from their turn.
    await putOff(context, row)
    throw error
  }
  await putOff(context, row)
}

async function putOff({ store }: Context, row: ConnectionRow): Promise<void> {
  const { connections } = store
  const claim = await connections.claimRefresh(row.workspaceId, row.key, row, everyMs)
  if (!claim) return
  await connections.finishRefresh(claim, {
    kind: 'later',
    refreshMs: store.nowMs() + absentMs,
    unanswered: claim.unanswered,
  })
}
