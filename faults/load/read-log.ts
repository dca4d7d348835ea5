import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import type { StoredLog } from './compare.ts'
import { toDigest, type Ledger } from './ledger.ts'
import { request, requireAnswer, type Target } from './request.ts'

type Page = {
  readonly events: readonly { readonly event_id: string; readonly payload: { readonly n: number } }[]
  readonly pagination: { readonly next_cursor: string | null; readonly has_more: boolean }
}

/** The whole log through the search route, oldest first. */
export async function readLog(target: Target): Promise<StoredLog> {
  const log: { id: string; n: number; digest: string }[] = []
  let cursor: string | null = null
  for (;;) {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: Page = await requireAnswer<Page>(target, { path: `/v1/events?limit=200${query}` })
    for (const { event_id: id, payload } of page.events) log.push({ id, n: payload.n, digest: toDigest(payload) })
    cursor = page.pagination.next_cursor
    if (!page.pagination.has_more || cursor === null) return log.toReversed()
  }
}

/** Reads every accepted event by its id; answers those that are not there or not the same. */
export async function readMissing(target: Target, ledger: Ledger): Promise<string[]> {
  const wanted = [...ledger.sent.values()].flatMap(({ ids, digest }) => [...ids].map((id) => ({ id, digest })))
  const missing: string[] = []
  const readAll = async (): Promise<void> => {
    for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
      const answer = await request(target, { path: `/v1/events/${next.id}` })
      const event =
        answer.kind === 'answered' && answer.status === 200 ? (answer.body as { payload: unknown }) : undefined
      if (event === undefined || toDigest(event.payload) !== next.digest) missing.push(next.id)
    }
  }
  await Promise.all(Array.from({ length: 8 }, readAll))
  return missing
}

/** SQLite's own check of a store that no hub has open: `ok`, or what it found. */
export function checkIntegrity(data: string): string {
  const db = new DatabaseSync(join(data, 'sluice.db'), { readOnly: true })
  try {
    const rows = db.prepare('pragma integrity_check(10)').all()
    return rows.map((row) => String(row['integrity_check'])).join('; ')
  } finally {
    db.close()
  }
}
