import { join } from 'node:path'
import { openStore, type Store } from '@sluice/hub'
import { partsOf, toEventText } from './event.ts'

/** An event type that one in `narrowEvery` events of a filled log has. */
export const narrowType = 'audit.alarm'
export const narrowEvery = 100_000

/** Events in one call, and calls under way. The queue of the writer holds 20,000. */
const batchEvents = 4000
const flights = 2

type Place = {
  readonly data: string
  /** Postgres instead of the folder */
  readonly database?: { readonly url: string }
}

type FillOptions = Place & {
  /** numbers of the events, from `first` on */
  readonly first?: number
  readonly count: number
  readonly say?: (text: string) => void
}

/** Appends events straight to a store on which no hub runs, as the hub would append them. Answers events a second. */
export async function fillLog({ first = 0, count, say, ...place }: FillOptions): Promise<number> {
  const store = await openStore(place)
  const started = performance.now()
  try {
    const { workspace } = await store.ensureWorkspace('default')
    let next = first
    const feed = async (): Promise<void> => {
      while (next < first + count) {
        const from = next
        next = Math.min(first + count, from + batchEvents)
        const drafts = Array.from({ length: next - from }, (_, index) => toDraft(from + index))
        await store.appendEvents(workspace.id, drafts)
        if (from % 1_000_000 < batchEvents)
          say?.(`filled ${from.toLocaleString('en-US')} of ${count.toLocaleString('en-US')} events`)
      }
    }
    await Promise.all(Array.from({ length: flights }, feed))
  } finally {
    await store.close()
  }
  return (count / (performance.now() - started)) * 1000
}

type Draft = Parameters<Store['appendEvents']>[1][number]

function toDraft(counter: number): Draft {
  const { eventType, source, subject } = partsOf(counter)
  const isNarrow = counter % narrowEvery === narrowEvery - 1
  const text = toEventText(counter)
  return {
    eventType: isNarrow ? narrowType : eventType,
    source,
    subject,
    body: isNarrow ? text.replace(eventType, narrowType) : text,
    notes: null,
    dedup: [],
  }
}

/** Makes the file of a store with its tables, without a hub. */
export async function createStoreFile(data: string): Promise<string> {
  const store = await openStore({ data })
  await store.close()
  return join(data, 'sluice.db')
}
