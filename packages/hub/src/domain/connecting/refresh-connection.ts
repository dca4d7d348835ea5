import { setTimeout as pause } from 'node:timers/promises'
import { HubError } from '@sluice/protocol'
import type { TokenOutcome, TokenSet } from '@sluice/sdk/auth'
import type { ConnectionRow, RefreshClaim, RefreshEnd } from '../../store/connections.ts'
import type { Store } from '../../store/store.ts'
import type { Sealing } from '../sealing.ts'
import { tellConnection } from './tell-connection.ts'
import { createRenewals, type Renewals } from './renewals.ts'
import { openGranted, sealSecret, toTimes } from './tokens.ts'

/** One connection whose tokens are to be replaced. */
type RefreshJob = {
  readonly row: ConnectionRow
  /** asks the provider once */
  readonly ask: (row: ConnectionRow) => Promise<TokenOutcome>
  /** whether asking uses up what is asked with: a refresh token that the provider may rotate */
  readonly usesUp: boolean
  /** somebody wants it although the connection is broken, or a request was never answered */
  readonly force?: boolean
}

/** `late`: it did not work this time, and is tried again. */
export type Refreshed =
  /** `tokens` where the store has not been able to keep them yet */
  | { readonly state: 'fresh'; readonly row: ConnectionRow; readonly tokens: TokenSet | undefined }
  | { readonly state: 'broken'; readonly reason: string }
  | { readonly state: 'late'; readonly reason: string; readonly retryMs: number }
  | { readonly state: 'gone' }

export type Refresher = {
  /** One at a time for each connection, over all nodes; who comes second waits for the first, and gets what it got. */
  readonly refresh: (job: RefreshJob) => Promise<Refreshed>
  /** Tokens that the provider has given, and the store could not keep yet. */
  readonly findUnsaved: (row: ConnectionRow) => TokenSet | undefined
  readonly renewals: Renewals
  /** Waits `graceMs` for what is under way. An answer that comes later is not known to anybody, and what the store has not taken is lost. */
  readonly close: (graceMs: number) => Promise<void>
}

export type RefresherOptions = {
  readonly store: Store
  readonly sealing: Sealing
  /** between 0 and 1, as Math.random */
  readonly random: () => number
  /** a node that is silent for so long has lost its lock, for twice as long while a request of its is under way; default 10,000 */
  readonly lockMs?: number
  /** another node gets so long to finish; default 60,000 */
  readonly waitMs?: number
}

type Parts = Required<RefresherOptions> & {
  readonly unsaved: Map<string, { readonly generation: number; readonly tokens: TokenSet }>
  readonly closing: AbortController
  readonly saving: Set<Promise<void>>
}

const lookEveryMs = 100
/** After a failure that says nothing of the tokens. */
const retryMs = 30_000
/** A refresh token whose answer was lost is sent once more, to find out whether it is used up. */
const maxUnanswered = 2

/**
 * Refreshes tokens so that a rotating refresh token is never sent twice at once: a fenced lock in the store, renewed while the
 * request is under way; a note before each request leaves, so that whoever takes over knows of it; and tokens that have come are
 * kept until the store has them.
 */
export function createRefresher({ lockMs = 10_000, waitMs = 60_000, ...options }: RefresherOptions): Refresher {
  const parts: Parts = {
    ...options,
    lockMs,
    waitMs,
    unsaved: new Map(),
    closing: new AbortController(),
    saving: new Set(),
  }
  const running = new Map<string, Promise<Refreshed>>()
  return {
    refresh: async (job) => {
      const tokens = findUnsaved(parts, job.row)
      if (tokens) return { state: 'fresh', row: job.row, tokens }
      const name = `${job.row.id}/${job.row.generation}`
      const known = running.get(name)
      if (known) return known
      const run = refresh(parts, job).finally(() => running.delete(name))
      running.set(name, run)
      return run
    },
    findUnsaved: (row) => findUnsaved(parts, row),
    renewals: createRenewals(() => parts.store.nowMs()),
    close: async (graceMs) => {
      const late = pause(graceMs, undefined, { ref: false })
      await Promise.race([Promise.allSettled(running.values()), late])
      await Promise.race([Promise.all(parts.saving), late])
      parts.closing.abort()
      await Promise.all(parts.saving)
    },
  }
}

function findUnsaved({ unsaved }: Parts, { id, generation }: ConnectionRow): TokenSet | undefined {
  const found = unsaved.get(id)
  return found?.generation === generation ? found.tokens : undefined
}

async function refresh(parts: Parts, job: RefreshJob): Promise<Refreshed> {
  const { store, lockMs, waitMs } = parts
  const { row } = job
  const untilMs = performance.now() + waitMs
  while (performance.now() < untilMs && !parts.closing.signal.aborted) {
    const claim = await store.connections.claimRefresh(row.workspaceId, row.key, row, lockMs)
    const refreshed = claim ? await refreshClaimed(parts, job, claim) : await lookAfterOther(parts, job)
    if (refreshed) return refreshed
    await pause(lookEveryMs, undefined, { ref: false })
  }
  return { state: 'late', reason: 'another node has been refreshing it for too long', retryMs: 1000 }
}

/** What has become of a connection that somebody else refreshes; undefined while that goes on. */
async function lookAfterOther({ store }: Parts, { row, force }: RefreshJob): Promise<Refreshed | undefined> {
  const now = await store.connections.find(row.workspaceId, row.key)
  if (!now) return { state: 'gone' }
  if (now.id !== row.id || now.generation !== row.generation) return { state: 'fresh', row: now, tokens: undefined }
  if (now.broken !== null && !force) return { state: 'broken', reason: now.broken }
  if ((now.refreshMs ?? 0) > store.nowMs() && now.refreshMs !== row.refreshMs)
    return { state: 'late', reason: 'the last attempt failed', retryMs: (now.refreshMs ?? 0) - store.nowMs() }
  return undefined
}

/** Undefined if the lock was lost before anything has left. */
async function refreshClaimed(parts: Parts, job: RefreshJob, claim: RefreshClaim): Promise<Refreshed | undefined> {
  const { store, lockMs } = parts
  // It may have become so since it was looked at.
  if (claim.broken !== null && !job.force) return giveUp(parts, claim, claim.broken)
  for (let unanswered = claim.unanswered; ; unanswered += 1) {
    const isSpent = job.usesUp && unanswered >= maxUnanswered && !(job.force && unanswered === claim.unanswered)
    if (isSpent) return giveUp(parts, claim, 'the provider did not answer, and may have replaced the refresh token')
    if (!(await store.connections.noteSending(claim, lockMs))) return undefined
    const ended = await whileHolding(parts, claim, () => ask(job, claim))
    if (ended.outcome === 'granted') return keep(parts, { job, claim }, ended.tokens)
    const end = toEnd(parts, ended, unanswered)
    if (end === 'again' && job.usesUp) continue
    if (end !== 'again' && end.kind === 'broken') return giveUp(parts, claim, end.reason)
    const later = end === 'again' ? toLater(parts, { unanswered, afterMs: undefined }) : end
    await store.connections.finishRefresh(claim, later)
    return { state: 'late', reason: ended.reason, retryMs: later.refreshMs - store.nowMs() }
  }
}

/** A fault of the configuration is one before anything has left. */
async function ask(job: RefreshJob, claim: RefreshClaim): Promise<TokenOutcome> {
  try {
    return await job.ask(claim)
  } catch (error) {
    return { outcome: 'unsent', reason: error instanceof Error ? error.message : String(error) }
  }
}

type Later = Extract<RefreshEnd, { kind: 'later' }>
type Failure = Exclude<TokenOutcome, { outcome: 'granted' }>

/** `again`: it may have been done, and the answer was lost. What answers at all, if only that it failed, is asked later. */
function toEnd(parts: Parts, ended: Failure, unanswered: number): Later | { kind: 'broken'; reason: string } | 'again' {
  const afterMs = 'retryAfterMs' in ended ? ended.retryAfterMs : undefined
  switch (ended.outcome) {
    case 'unsent':
      return toLater(parts, { unanswered, afterMs })
    case 'untrusted':
      return 'again'
    case 'unknown':
      return ended.status === undefined ? 'again' : toLater(parts, { unanswered, afterMs })
    case 'refused':
      return ended.cause === 'busy'
        ? toLater(parts, { unanswered, afterMs })
        : { kind: 'broken', reason: toReason(ended, unanswered) }
  }
}

function toLater({ store, random }: Parts, of: { unanswered: number; afterMs: number | undefined }): Later {
  const waitMs = Math.max(of.afterMs ?? 0, Math.round(retryMs * (1 + random())))
  return { kind: 'later', refreshMs: store.nowMs() + waitMs, unanswered: of.unanswered }
}

function toReason({ cause, reason }: Extract<Failure, { outcome: 'refused' }>, unanswered: number): string {
  if (cause === 'client') return `the provider refuses the OAuth client: ${reason}`
  const lost = unanswered > 0 ? '; the answer to the request before was lost' : ''
  return `the provider refuses to refresh it: ${reason}${lost}`
}

async function giveUp(parts: Parts, claim: RefreshClaim, reason: string): Promise<Refreshed | undefined> {
  const { store, lockMs } = parts
  if (!(await store.connections.renewRefresh(claim, lockMs))) return undefined
  // Before the connection says so: after a crash in between it is refused again, and the event is a duplicate.
  if (claim.broken === null) await tellConnection(store, 'broken', claim, reason)
  const isKept = await store.connections.finishRefresh(claim, { kind: 'broken', reason })
  return isKept ? { state: 'broken', reason } : undefined
}

/** The lock is kept for as long as the request takes: a slow provider gets no second one. */
async function whileHolding<Value>(
  { store, lockMs }: Parts,
  claim: RefreshClaim,
  run: () => Promise<Value>,
): Promise<Value> {
  // A store that is away must not keep the answer from being read.
  const timer = setInterval(() => void store.connections.renewRefresh(claim, lockMs).catch(() => {}), lockMs / 3)
  try {
    return await run()
  } finally {
    clearInterval(timer)
  }
}

type Keeping = { readonly job: RefreshJob; readonly claim: RefreshClaim }

async function keep(parts: Parts, { job, claim }: Keeping, tokens: TokenSet): Promise<Refreshed> {
  const { store, sealing, random, unsaved, saving } = parts
  const { fields } = openGranted(sealing, claim)
  const sealed = sealSecret(sealing, claim.id, { tokens, fields })
  const end = { kind: 'tokens', sealed, ...toTimes(tokens, { random: random(), usesUp: job.usesUp }) } as const
  const save = async (): Promise<void> => void (await store.connections.finishRefresh(claim, end))
  try {
    await save()
  } catch {
    unsaved.set(claim.id, { generation: claim.generation, tokens })
    const later = saveLater(parts, save).finally(() => {
      unsaved.delete(claim.id)
      saving.delete(later)
    })
    saving.add(later)
    return { state: 'fresh', row: claim, tokens }
  }
  const row = await store.connections.find(claim.workspaceId, claim.key)
  // Others may have got newer ones in the meantime.
  return row?.id === claim.id ? { state: 'fresh', row, tokens: undefined } : { state: 'gone' }
}

const longestPauseMs = 500

/** Nobody else has these tokens, and those before may be used up: it is tried until the store has them. */
async function saveLater({ closing }: Parts, save: () => Promise<void>): Promise<void> {
  for (let waitMs = 50; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, longestPauseMs)) {
    await pause(waitMs, undefined, { signal: closing.signal }).catch(() => {})
    try {
      return await save()
    } catch {
      // The store is still away.
    }
  }
}

/** What somebody is told who wants to use a connection that must be connected again. */
export function refuseBroken({ key }: Pick<ConnectionRow, 'key'>, reason: string): HubError {
  return new HubError(
    'needs-reconnect',
    `connection "${key}" must be connected again: ${reason}; POST /v1/connections/${key}/connect gives the address for that`,
    { details: { connection: key, reason } },
  )
}
