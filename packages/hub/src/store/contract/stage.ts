import assert from 'node:assert/strict'
import { HubError, inboxDefaults, type InboxSettings } from '@sluice/protocol'
import type {
  AppendOutcome,
  Draft,
  LeaseGrant,
  RetentionPolicy,
  SettleOrder,
  Store,
  StoredEvent,
  VerdictRow,
} from '../store.ts'

/** A new store. `reopen` and `crash` give the store as it is afterwards; the one before is of no use any more. */
export type OpenedStore = {
  readonly store: Store
  /** Moves the clock that the store was given, forwards or backwards. */
  readonly advance: (ms: number) => void
  /** Closes and opens again. */
  readonly reopen: () => Promise<Store>
  /** Drops everything that was not committed, without closing, and opens again. */
  readonly crash: () => Promise<Store>
  /** Closes and leaves nothing behind. */
  readonly close: () => Promise<void>
}

export type OpenStore = () => Promise<OpenedStore>

/** The same with `store` as it is now, also after it was opened again. */
export function followStore(opened: OpenedStore): OpenedStore {
  let { store } = opened
  return {
    ...opened,
    get store() {
      return store
    },
    reopen: async () => (store = await opened.reopen()),
    crash: async () => (store = await opened.crash()),
  }
}

/** Tests by name, each in a workspace of its own. */
export type ContractCases = Readonly<Record<string, (stage: Stage) => Promise<void>>>

/** What a test says about an event; a text is its type. */
export type EventSpec =
  | string
  | {
      readonly type?: string
      readonly source?: string
      readonly subject?: string
      readonly payload?: Record<string, unknown>
      readonly identity?: Record<string, string>
      readonly entity?: { readonly type: string; readonly id: string }
      readonly channel?: string
      readonly dedup?: Draft['dedup']
    }

type LeaseOptions = { readonly limit?: number; readonly leaseMs?: number; readonly inbox?: string }
type ReleaseOptions = {
  readonly positions?: readonly number[]
  readonly delayMs?: number
  readonly reason?: string
  readonly count?: boolean
  readonly inbox?: string
}

/** One workspace in a store, with short words for what tests do all the time. The inbox is `crm` unless said otherwise. */
export type Stage = {
  /** the store as it is now, after any `reopen` or `crash` */
  readonly store: Store
  readonly id: number
  readonly advance: (ms: number) => void
  readonly reopen: () => Promise<void>
  readonly crash: () => Promise<void>
  /** Advances and lets leases run out. */
  readonly expire: (ms?: number) => Promise<void>
  readonly publish: <const Specs extends readonly EventSpec[]>(
    ...specs: Specs
  ) => Promise<{ [Index in keyof Specs]: number }>
  readonly publishMany: (count: number, spec?: EventSpec) => Promise<number[]>
  readonly makeInbox: (settings?: Partial<InboxSettings>, options?: { key?: string; start?: number }) => Promise<void>
  readonly lease: (leaseId: string, options?: LeaseOptions) => Promise<LeaseGrant>
  /** The positions that a lease is given; asks again while the store says that there may be more. */
  readonly take: (leaseId: string, options?: LeaseOptions) => Promise<number[]>
  /** As `take`, with the attempt of each position. */
  readonly takeAttempts: (leaseId: string, options?: LeaseOptions) => Promise<Record<number, number>>
  readonly ack: (leaseId: string, positions?: readonly number[], inbox?: string) => Promise<string[]>
  readonly release: (leaseId: string, options?: ReleaseOptions) => Promise<string[]>
  /** Leases and acknowledges until nothing is left. Answers the positions as they came. */
  readonly drain: (inbox?: string) => Promise<number[]>
  readonly peek: (inbox?: string) => Promise<number[]>
  readonly deadLetters: (inbox?: string) => Promise<number[]>
  readonly verdict: (position: number, inbox?: string) => Promise<VerdictRow>
}

export const defaultLeaseMs = 30_000
export const dayMs = 86_400_000

/** Nothing is trimmed by age unless a test says so. */
export const retention: RetentionPolicy = {
  passedMs: 30 * dayMs,
  anywayMs: 90 * dayMs,
  attemptsMs: 7 * dayMs,
  maxRows: 1000,
}

export const positionsOf = (events: readonly Pick<StoredEvent, 'position'>[]): number[] =>
  events.map(({ position }) => position)

export const notFound = (error: unknown): boolean => error instanceof HubError && error.code === 'not-found'

export const statusesOf = (outcomes: readonly AppendOutcome[]): string[] => outcomes.map(({ status }) => status)

export const positionOf = (outcome: AppendOutcome | undefined): number =>
  outcome && outcome.status !== 'mismatch' ? outcome.position : assert.fail(`no position: ${outcome?.status}`)

/** An event that is a duplicate the second time. */
export const repeated = { dedup: [{ key: 'k', fingerprint: 'f' }] }

/** Reads all that a workspace holds, oldest first. */
export async function readAll(store: Store, id: number): Promise<number[]> {
  const { events } = await store.scanEvents(id, { after: 0, filter: {}, limit: 10_000, rowBudget: 100_000 })
  return positionsOf(events)
}

/** Equal rows, whatever objects a store makes them of. */
export function assertSame(actual: unknown, expected: unknown, message?: string): void {
  assert.deepEqual(structuredClone(actual), structuredClone(expected), message)
}

export function toDraft(spec: EventSpec = 'order.created'): Draft {
  const given = typeof spec === 'string' ? { type: spec } : spec
  const { type = 'order.created', source, subject, payload = {}, identity, entity, channel, dedup = [] } = given
  const body = { event_type: type, payload, source, subject, identity, entity, channel }
  return {
    eventType: type,
    source: source ?? null,
    subject: subject ?? null,
    body: JSON.stringify(body),
    notes: null,
    dedup,
  }
}

/** @param key of the workspace, which must be new */
export async function createStage(opened: OpenedStore, key = 'stage'): Promise<Stage> {
  const { workspace, created } = await opened.store.ensureWorkspace(key)
  assert.ok(created)
  return toStage(opened, workspace.id)
}

/** The stage of a workspace that is there already. */
export function toStage(opened: OpenedStore, id: number): Stage {
  let { store } = opened
  return {
    get store() {
      return store
    },
    id,
    advance: opened.advance,
    reopen: async () => {
      store = await opened.reopen()
    },
    crash: async () => {
      store = await opened.crash()
    },
    expire: async (ms = defaultLeaseMs + 1) => {
      opened.advance(ms)
      await store.expireLeases()
    },
    ...writingVerbs(() => store, id),
    ...consumingVerbs(() => store, id),
    ...lookingVerbs(() => store, id),
  }
}

function writingVerbs(store: () => Store, id: number): Pick<Stage, 'publish' | 'publishMany' | 'makeInbox'> {
  const append = async (drafts: readonly Draft[]): Promise<number[]> => {
    const outcomes = await store().appendEvents(id, drafts)
    return outcomes.map((outcome) =>
      outcome.status === 'stored' ? outcome.position : assert.fail(`not stored: ${outcome.status}`),
    )
  }
  return {
    publish: async <const Specs extends readonly EventSpec[]>(...specs: Specs) => {
      const positions = await append(specs.map((spec) => toDraft(spec)))
      return positions as { [Index in keyof Specs]: number } // one outcome for each draft
    },
    publishMany: async (count, spec) => {
      const positions: number[] = []
      while (positions.length < count) {
        const size = Math.min(1000, count - positions.length)
        positions.push(...(await append(Array.from({ length: size }, () => toDraft(spec)))))
      }
      return positions
    },
    makeInbox: async (settings = {}, { key = 'crm', start = 1 } = {}) => {
      const { created } = await store().createInbox(id, key, { settings: { ...inboxDefaults, ...settings }, start })
      assert.ok(created)
    },
  }
}

/** More rounds than any store needs to look through what a test publishes. */
const patience = 200

function consumingVerbs(
  store: () => Store,
  id: number,
): Pick<Stage, 'lease' | 'take' | 'takeAttempts' | 'ack' | 'release' | 'drain'> {
  const lease: Stage['lease'] = async (leaseId, { limit = 10, leaseMs = defaultLeaseMs, inbox = 'crm' } = {}) => {
    let grant = await store().leaseEvents(id, inbox, { leaseId, limit, leaseMs })
    for (let round = 0; grant.events.length === 0 && grant.more; round += 1) {
      assert.ok(round < patience, 'the store says for ever that there is more')
      grant = await store().leaseEvents(id, inbox, { leaseId, limit, leaseMs })
    }
    return grant
  }
  const settle = async (inbox: string, order: SettleOrder): Promise<string[]> =>
    (await store().settleLease(id, inbox, order)).map(({ status }) => status)
  const ack: Stage['ack'] = (leaseId, positions, inbox = 'crm') =>
    settle(inbox, { leaseId, ...(positions && { positions }), outcome: { kind: 'ack' } })
  return {
    lease,
    take: async (leaseId, options) => positionsOf((await lease(leaseId, options)).events),
    takeAttempts: async (leaseId, options) => {
      const { events } = await lease(leaseId, options)
      return Object.fromEntries(events.map(({ position, attempt }) => [position, attempt]))
    },
    ack,
    release: (leaseId, { positions, delayMs, reason, count = true, inbox = 'crm' } = {}) => {
      const outcome = {
        kind: 'release',
        count,
        ...(delayMs !== undefined && { delayMs }),
        ...(reason !== undefined && { reason }),
      } as const
      return settle(inbox, { leaseId, ...(positions && { positions }), outcome })
    },
    drain: async (inbox = 'crm') => {
      const drained: number[] = []
      for (let round = 0; round < patience; round += 1) {
        const { events } = await lease(`drain-${round}`, { inbox, limit: 100 })
        if (events.length === 0) return drained
        drained.push(...positionsOf(events))
        await ack(`drain-${round}`, undefined, inbox)
      }
      return assert.fail('the store hands out for ever')
    },
  }
}

function lookingVerbs(store: () => Store, id: number): Pick<Stage, 'peek' | 'deadLetters' | 'verdict'> {
  return {
    peek: async (inbox = 'crm') => {
      const found: number[] = []
      let after = 0
      for (let round = 0; round < patience; round += 1) {
        const page = await store().peekEvents(id, inbox, { after, limit: 100 })
        found.push(...positionsOf(page.events))
        if (!page.more) return found
        after = page.scannedTo
      }
      return assert.fail('peeking goes on for ever')
    },
    deadLetters: async (inbox = 'crm') =>
      positionsOf(await store().listDeadLetters(id, inbox, { after: 0, limit: 1000 })),
    verdict: async (position, inbox = 'crm') => {
      const verdicts = await store().explainEvent(id, position)
      return verdicts.find((verdict) => verdict.inbox === inbox) ?? assert.fail(`no verdict for ${inbox}`)
    },
  }
}
