import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Wake } from '../store.ts'
import { listenerName, toClientConfig, type Connections } from './connections.ts'

export type Wakes = {
  /** Wakes waiters here at once and those of the other nodes in a moment. */
  readonly announce: (wake: Wake) => void
  readonly listen: (listener: (wake: Wake) => void) => () => void
  /** events appended by this process */
  readonly appended: () => number
  /** `ok`, or what is wrong with hearing from the other nodes */
  readonly health: () => string
  readonly close: () => Promise<void>
}

type Options = {
  readonly connections: Connections
  /** of a connection that stays: LISTEN does not work through a pooler */
  readonly directUrl: string
  readonly channel: string
  readonly node: string
}

type Appended = NonNullable<Wake['appended']>[number]

/** What the other nodes are told of one workspace. `appended` null: too much to list. */
type News = { readonly inboxes: Set<string>; appended: Map<string, Appended> | null; any: boolean }

type Notice = {
  readonly node: string
  readonly news: readonly (readonly [
    workspaceId: number,
    inboxes: readonly string[],
    appended: readonly Appended[] | 0 | 1,
  ])[]
}

/** Kinds of events that a notice lists; beyond, everybody who waits in the workspace looks. */
const maxKinds = 20
/** Postgres refuses notices of 8,000 bytes. */
const maxNoticeBytes = 7900
const maxItemBytes = 4000
/** At most one notice in so many ms: a thousand commits a second make fifty of them. */
const noticeEveryMs = 20
/** Should notices be lost without a word: how often to look whether logs have grown. And while they cannot be heard. */
const lookEveryMs = 5000
const lookDeafEveryMs = 500

/** Between nodes: LISTEN on a connection of its own, NOTIFY after the commit, and a slow look as the safety net. */
export function openWakes({ connections, directUrl, channel, node }: Options): Wakes {
  const listeners = new Set<(wake: Wake) => void>()
  const closed = new AbortController()
  const news = new Map<number, News>()
  let count = 0
  let health = 'connecting'
  let sending: Promise<void> | undefined

  const spread = (wake: Wake): void => {
    for (const listener of listeners) listener(wake)
  }
  const hear = (payload: string): void => {
    const notice: Notice = JSON.parse(payload)
    if (notice.node === node) return
    for (const [workspaceId, inboxes, appended] of notice.news) {
      if (appended !== 0) spread(appended === 1 ? { workspaceId } : { workspaceId, appended })
      for (const inbox of inboxes) spread({ workspaceId, inbox })
    }
  }
  let sentAt = -noticeEveryMs
  const send = async (): Promise<void> => {
    // The first of a while goes at once, together with what else comes in this turn of the event loop.
    const wait = sentAt + noticeEveryMs - performance.now()
    if (wait > 0) await pause(wait, undefined, { signal: closed.signal }).catch(() => {})
    else await nextTurn()
    sentAt = performance.now()
    const payloads = toPayloads(node, news)
    news.clear()
    for (const payload of payloads) await notify(connections, channel, payload).catch(() => {})
    sending = undefined
    if (news.size > 0 && !closed.signal.aborted) sending = send()
  }
  const tell = (wake: Wake): void => {
    addNews(news, wake)
    if (!closed.signal.aborted) sending ??= send()
  }
  const listening = keepListening({
    directUrl,
    channel,
    hear,
    signal: closed.signal,
    onState: (state) => (health = state),
  })
  const looking = keepLooking({ connections, spread, isDeaf: () => health !== 'ok', signal: closed.signal })

  return {
    announce: (wake) => {
      if (wake.appended) count += wake.appended.length
      spread(wake)
      tell(wake)
    },
    listen: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    appended: () => count,
    health: () => health,
    close: async () => {
      closed.abort()
      await Promise.all([listening, looking, sending])
    },
  }
}

function addNews(news: Map<number, News>, { workspaceId, inbox, appended }: Wake): void {
  const known = news.get(workspaceId) ?? { inboxes: new Set(), appended: new Map(), any: false }
  news.set(workspaceId, known)
  if (inbox !== undefined) known.inboxes.add(inbox)
  if (!appended) return
  known.any = true
  for (const { eventType, source, subject } of appended) {
    if (!known.appended) return
    known.appended.set(JSON.stringify([eventType, source, subject]), { eventType, source, subject })
    if (known.appended.size > maxKinds) known.appended = null
  }
}

/** As many notices as it takes; most often one. */
function toPayloads(node: string, news: ReadonlyMap<number, News>): string[] {
  const items = [...news].flatMap(([workspaceId, { inboxes, appended, any }]): Notice['news'][number][] => {
    const kinds = any ? (appended ? [...appended.values()] : 1) : 0
    const whole = [workspaceId, [...inboxes], kinds] as const
    if (sizeOf(whole) <= maxItemBytes) return [whole]
    // Keys of inboxes have a hundred characters at most: so many always fit.
    const names = [...inboxes]
    const parts = Array.from({ length: Math.ceil(names.length / 30) }, (_, index) => {
      return [workspaceId, names.slice(index * 30, index * 30 + 30), 0] as const
    })
    return any ? [[workspaceId, [], 1], ...parts] : parts
  })
  const notices: Notice['news'][number][][] = []
  let room = 0
  for (const item of items) {
    const size = sizeOf(item)
    if (size > room) {
      notices.push([])
      room = maxNoticeBytes - 100
    }
    notices.at(-1)?.push(item)
    room -= size + 1
  }
  return notices.map((list) => JSON.stringify({ node, news: list } satisfies Notice))
}

const sizeOf = (item: Notice['news'][number]): number => Buffer.byteLength(JSON.stringify(item))

/** Not worth waiting for the disk: a notice that a crash loses is made up for by the look at the logs. */
async function notify(connections: Connections, channel: string, payload: string): Promise<void> {
  await connections.use(async (client) => {
    await Promise.all([
      client.command('begin; set local synchronous_commit = off'),
      client.query(`select pg_notify($1, $2)`, [channel, payload]),
      client.command('commit'),
    ])
  })
}

type Listening = {
  readonly directUrl: string
  readonly channel: string
  readonly hear: (payload: string) => void
  readonly onState: (state: string) => void
  readonly signal: AbortSignal
}

const reconnectMs = 500

async function keepListening({ directUrl, channel, hear, onState, signal }: Listening): Promise<void> {
  while (!signal.aborted) {
    const client = new pg.Client({
      ...toClientConfig({ url: directUrl, pooled: false }),
      application_name: listenerName,
    })
    const ended = new Promise<void>((resolve) => {
      client.on('error', () => resolve())
      client.on('end', () => resolve())
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    try {
      await client.connect()
      client.on('notification', ({ payload }) => {
        try {
          hear(payload ?? '')
        } catch {
          // Anybody who may log in may notify: what no node has sent is left alone.
        }
      })
      await client.query(`listen ${pg.escapeIdentifier(channel)}`)
      onState('ok')
      await ended
    } catch {
      // Tried again, for as long as it takes.
    }
    onState('no connection to listen on')
    await client.end().catch(() => {})
    await pause(reconnectMs, undefined, { signal }).catch(() => {})
  }
}

type Looking = {
  readonly connections: Connections
  readonly spread: (wake: Wake) => void
  readonly isDeaf: () => boolean
  readonly signal: AbortSignal
}

/** Whoever waits for a log that has grown looks again. */
async function keepLooking({ connections, spread, isDeaf, signal }: Looking): Promise<void> {
  const heads = new Map<number, number>()
  while (!signal.aborted) {
    await pause(isDeaf() ? lookDeafEveryMs : lookEveryMs, undefined, { signal, ref: false }).catch(() => {})
    if (signal.aborted) return
    const logs = await connections
      .query<{ workspaceId: number; head: number }>(`select workspace_id as "workspaceId", head from log`)
      .catch(() => [])
    for (const { workspaceId, head } of logs) {
      if (heads.has(workspaceId) && heads.get(workspaceId) !== head) spread({ workspaceId })
      heads.set(workspaceId, head)
    }
  }
}
