import { Integration } from '@sluice/sdk/integration'
import { toDigest, type Item } from './src/feed.ts'
import { readFeed, type Validators } from './src/read.ts'

const integration = await Integration.load()

type Inputs = { readonly url: string; readonly limit?: number }
type State = Validators & { readonly seen: readonly string[] }

integration.action('get_feed', async (inputs, context) => {
  const { url, limit = 50 } = inputs as Inputs // checked by the schema, as below
  const { feed } = (await readFeed(context, url)) ?? {}
  return { data: { ...feed, items: feed?.items.slice(0, limit) ?? [] } }
})

/** Items that left a feed may come back: of so many the digests are kept, at least. */
const fewestKept = 500

integration.pollingTrigger('new_item', async (inputs, { state }, context) => {
  const { url, limit = 50 } = inputs as Inputs
  const before = isState(state) ? state : undefined
  const read = await readFeed(context, url, before)
  if (read === undefined) return { records: [], state }
  const items = [...new Map(read.feed.items.toReversed().map((item) => [toDigest(item.id), item])).entries()]
  const seen = before?.seen ?? []
  const known = new Set(seen)
  const fresh = items.filter(([digest]) => !known.has(digest)).toSorted(byAge)
  // What was there before it began and is beyond the limit is left alone; later it waits for the next poll.
  const handed = before ? fresh.slice(0, limit) : fresh.slice(-limit)
  const done = before ? handed : fresh
  const kept = [...seen, ...done.map(([digest]) => digest)].slice(-Math.max(fewestKept, 2 * items.length))
  // With some still waiting, "not changed" would be no answer.
  const validators = handed.length < fresh.length && before ? {} : read.validators
  return {
    records: handed.map(([, item]) => ({ id: item.id, data: item })),
    state: { ...validators, seen: kept } satisfies State,
  }
})

type Entry = readonly [digest: string, item: Item]

/** Oldest first; what has no time stays where it is, in a feed that was turned round: they are written newest first. */
function byAge([, left]: Entry, [, right]: Entry): number {
  return (left.published_at ?? '').localeCompare(right.published_at ?? '')
}

function isState(value: unknown): value is State {
  return typeof value === 'object' && value !== null && Array.isArray((value as Partial<State>).seen)
}

// oxlint-disable-next-line import/no-default-export -- what a folder of an integration exports
export default integration
