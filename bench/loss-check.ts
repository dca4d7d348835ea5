import { Pool, type Dispatcher } from 'undici'
import { parseEventId } from '@sluice/protocol'
import { counterOf, toEventText } from './event.ts'
import { eventTableOf, readStore, type Hub } from './hub.ts'

/** What a load may have published: from its first event to its last, and how many of them were answered. */
export type Published = { readonly accepted: number; readonly maxUnanswered: number }

/** Rows of a store, and how many different events they hold. */
export type Stored = { readonly stored: number; readonly distinct: number }

/** The same for the file of a hub, since a position. */
export function checkStored(
  file: string,
  { after, published }: { after: number; published: readonly Published[] },
): string {
  const found = readStore(file, (db) => {
    const row = db
      .prepare(
        `select count(*) as stored, count(distinct json_extract(body, '$.payload.n')) as "distinct" from ${eventTableOf(db)} where position > ?`,
      )
      .get(after)
    return { stored: Number(row?.['stored']), distinct: Number(row?.['distinct']) }
  })
  return compareStored(found, published)
}

/**
 * Compares what was answered with what is stored: every accepted event is there, once; more than that only what was in
 * flight when the load ended.
 *
 * @throws if one is missing or doubled
 */
export function compareStored({ stored, distinct }: Stored, published: readonly Published[]): string {
  const accepted = published.reduce((sum, load) => sum + load.accepted, 0)
  const maxUnanswered = published.reduce((sum, load) => sum + load.maxUnanswered, 0)
  const text = `accepted ${accepted.toLocaleString('en-US')}, stored ${stored.toLocaleString('en-US')} (${stored - accepted} unanswered when the load ended), doubled ${stored - distinct}`
  if (stored < accepted || stored - accepted > maxUnanswered || distinct !== stored)
    throw new Error(`loss check failed: ${text}`)
  return text
}

type Answering = {
  /** nodes of one store, in turn; each event is read back from the next one */
  readonly hubs: readonly [Hub, ...Hub[]]
  /** the last position of the default workspace */
  readonly readHead: () => number | Promise<number>
}

const answers = 2000

/**
 * Publishes events with every answer awaited, then compares ids and rows exactly: as many rows as answers, no id twice,
 * and behind each id, read back over HTTP, the event that was sent.
 *
 * @throws if anything differs
 */
export async function checkAnswers({ hubs, readHead }: Answering): Promise<string> {
  const [{ apiKey }] = hubs
  const pools = hubs.map(({ url }) => new Pool(url, { connections: 64 / hubs.length }))
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const request = (node: number, path: string, body?: string): Promise<Dispatcher.ResponseData> => {
    const pool = pools[node % pools.length]
    if (!pool) throw new RangeError(`no node ${node}`)
    return pool.request({ method: body ? 'POST' : 'GET', path, headers, ...(body && { body }) })
  }
  const before = await readHead()
  const first = 900_000_000_000
  const ids = new Map<string, number>()
  let next = first
  const send = async (): Promise<void> => {
    while (next < first + answers) {
      const counter = next++
      const answer = await request(counter, '/v1/events', toEventText(counter))
      const { event_id: id } = (await answer.body.json()) as { event_id: string } // the protocol's Accepted
      if (answer.statusCode !== 201) throw new Error(`event ${counter} was answered ${answer.statusCode}`)
      ids.set(id, counter)
    }
  }
  await Promise.all(Array.from({ length: 64 }, send))
  const stored = (await readHead()) - before
  const positions = new Set([...ids.keys()].map((id) => parseEventId(id)?.position))
  const readBack = await readEach(ids, (id, counter) => request(counter + 1, `/v1/events/${id}`))
  for (const pool of pools) await pool.close()
  const text = `${answers} answers awaited: ${stored} rows, ${positions.size} ids, ${readBack} read back by id with the same content`
  if (stored !== answers || positions.size !== answers || readBack !== ids.size)
    throw new Error(`loss check failed: ${text}`)
  return text
}

async function readEach(
  ids: ReadonlyMap<string, number>,
  request: (id: string, counter: number) => Promise<Dispatcher.ResponseData>,
): Promise<number> {
  let same = 0
  const left = [...ids]
  const read = async (): Promise<void> => {
    for (let entry = left.pop(); entry; entry = left.pop()) {
      const [id, counter] = entry
      const answer = await request(id, counter)
      const text = await answer.body.text()
      if (answer.statusCode === 200 && counterOf(text) === counter) same += 1
    }
  }
  await Promise.all(Array.from({ length: 16 }, read))
  return same
}
