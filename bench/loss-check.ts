import { Pool } from 'undici'
import { parseEventId } from '@sluice/protocol'
import { counterOf, toEventText } from './event.ts'
import { eventTableOf, readHead, readStore, type Hub } from './hub.ts'

/** What a load may have published: from its first event to its last, and how many of them were answered. */
export type Published = { readonly accepted: number; readonly maxUnanswered: number }

/**
 * Compares what was answered with what is stored since a position: every accepted event is there, once; more than that
 * only what was in flight when the load ended.
 *
 * @throws if one is missing or doubled
 */
export function checkStored(
  file: string,
  { after, published }: { after: number; published: readonly Published[] },
): string {
  const accepted = published.reduce((sum, load) => sum + load.accepted, 0)
  const maxUnanswered = published.reduce((sum, load) => sum + load.maxUnanswered, 0)
  const { stored, distinct } = readStore(file, (db) => {
    const row = db
      .prepare(
        `select count(*) as stored, count(distinct json_extract(body, '$.payload.n')) as "distinct" from ${eventTableOf(db)} where position > ?`,
      )
      .get(after)
    return { stored: Number(row?.['stored']), distinct: Number(row?.['distinct']) }
  })
  const text = `accepted ${accepted.toLocaleString('en-US')}, stored ${stored.toLocaleString('en-US')} (${stored - accepted} unanswered when the load ended), doubled ${stored - distinct}`
  if (stored < accepted || stored - accepted > maxUnanswered || distinct !== stored)
    throw new Error(`loss check failed: ${text}`)
  return text
}

/**
 * Publishes events with every answer awaited, then compares ids and rows exactly: as many rows as answers, no id twice,
 * and behind each id, read back over HTTP, the event that was sent.
 *
 * @throws if anything differs
 */
export async function checkAnswers(hub: Hub, count = 2000): Promise<string> {
  const pool = new Pool(hub.url, { connections: 64 })
  const headers = { authorization: `Bearer ${hub.apiKey}`, 'content-type': 'application/json' }
  const before = readHead(hub.file)
  const first = 900_000_000_000
  const ids = new Map<string, number>()
  let next = first
  const send = async (): Promise<void> => {
    while (next < first + count) {
      const counter = next++
      const answer = await pool.request({ method: 'POST', path: '/v1/events', headers, body: toEventText(counter) })
      const { event_id: id } = (await answer.body.json()) as { event_id: string } // the protocol's Accepted
      if (answer.statusCode !== 201) throw new Error(`event ${counter} was answered ${answer.statusCode}`)
      ids.set(id, counter)
    }
  }
  await Promise.all(Array.from({ length: 64 }, send))
  const stored = readHead(hub.file) - before
  const positions = new Set([...ids.keys()].map((id) => parseEventId(id)?.position))
  const readBack = await readEach(pool, headers, ids)
  await pool.close()
  const text = `${count} answers awaited: ${stored} rows, ${positions.size} ids, ${readBack} read back by id with the same content`
  if (stored !== count || positions.size !== count || readBack !== ids.size)
    throw new Error(`loss check failed: ${text}`)
  return text
}

async function readEach(
  pool: Pool,
  headers: Record<string, string>,
  ids: ReadonlyMap<string, number>,
): Promise<number> {
  let same = 0
  const left = [...ids]
  const read = async (): Promise<void> => {
    for (let entry = left.pop(); entry; entry = left.pop()) {
      const [id, counter] = entry
      const answer = await pool.request({ method: 'GET', path: `/v1/events/${id}`, headers })
      const text = await answer.body.text()
      if (answer.statusCode === 200 && counterOf(text) === counter) same += 1
    }
  }
  await Promise.all(Array.from({ length: 16 }, read))
  return same
}
