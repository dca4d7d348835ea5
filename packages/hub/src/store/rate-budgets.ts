/** Requests that an account may still make, shared by all nodes. */
export type RateBudgets = {
  /** Takes leave for some requests. */
  take(workspaceId: number, connection: string, order: TakeOrder): Promise<Taken>
  /** What the service has said. */
  learn(workspaceId: number, connection: string, news: RateNews): Promise<void>
}

/** So many requests in any span of so many milliseconds. */
export type RateLimit = { readonly requests: number; readonly perMs: number }

/** Who waits, the most urgent first: a person or an agent, an inbox, a trigger, work in bulk. */
export type Rank = 0 | 1 | 2 | 3

export type TakeOrder = {
  readonly want: number
  readonly rank: Rank
  /** what the integration says; what the service itself has said goes before it */
  readonly declared: RateLimit | undefined
}

/** `waitMs`: how long nothing more is to be had; 0 if something was granted. `limit`: what holds now. */
type Taken = { readonly granted: number; readonly waitMs: number; readonly limit: RateLimit | undefined }

export type RateNews = {
  readonly limit?: RateLimit | undefined
  readonly left?: { readonly requests: number; readonly resetMs: number } | undefined
  readonly holdMs?: number | undefined
}

/** What is kept of an account: grants of the last span, oldest first. */
export type RateState = {
  readonly grants: readonly (readonly [atMs: number, requests: number])[]
  readonly learned: RateLimit | null
  readonly holdUntilMs: number
  /** by rank: somebody waits, and was there until then */
  readonly waiting: readonly number[]
}

export const freshRate: RateState = { grants: [], learned: null, holdUntilMs: 0, waiting: [] }

/** What was granted may be used for so long, and is part of the span until then. */
export const grantMs = 1000
/** Whoever waits asks again within this. */
const waitingMs = 2000
/** What each rank leaves to those before it: a span that bulk has used up has still something for a person. */
const reserves: readonly number[] = [0, 0.05, 0.1, 0.2]

type Decision = { readonly state: RateState; readonly taken: Taken }

/**
 * The rule of all stores. In any span of the limit no more than its requests are granted; nobody is granted anything while somebody of a
 * better rank waits.
 */
export function takeRequests(state: RateState, { want, rank, declared }: TakeOrder, nowMs: number): Decision {
  const limit = state.learned ?? declared
  const refuse = (waitMs: number, grants = state.grants): Decision => ({
    state: { ...state, grants, waiting: withWaiting(state.waiting, rank, nowMs + waitingMs) },
    taken: { granted: 0, waitMs, limit },
  })
  if (state.holdUntilMs > nowMs) return refuse(state.holdUntilMs - nowMs)
  if (!limit) return { state, taken: { granted: want, waitMs: 0, limit } }
  const spanMs = limit.perMs + grantMs
  const grants = state.grants.filter(([atMs]) => atMs > nowMs - spanMs)
  if (state.waiting.some((untilMs, other) => other < rank && untilMs > nowMs)) return refuse(grantMs / 4, grants)
  const allowed = limit.requests - Math.floor(limit.requests * (reserves[rank] ?? 0))
  const granted = Math.min(want, allowed - sum(grants))
  if (granted < 1) return refuse(Math.max(1, freeAtMs(grants, allowed) + spanMs - nowMs), grants)
  const waiting = withWaiting(state.waiting, rank, 0)
  return {
    state: { ...state, waiting, grants: withGrant(grants, [nowMs, granted], limit.perMs / kept) },
    taken: { granted, waitMs: 0, limit },
  }
}

/** As many grants are kept of a span: what was granted within a part of it counts until the end of the last. */
const kept = 50

function withGrant(grants: RateState['grants'], [atMs, requests]: readonly [number, number], partMs: number) {
  const last = grants.at(-1)
  if (!last || Math.floor(last[0] / partMs) !== Math.floor(atMs / partMs)) return [...grants, [atMs, requests] as const]
  return [...grants.slice(0, -1), [atMs, last[1] + requests] as const]
}

const sum = (grants: RateState['grants']): number => grants.reduce((total, [, requests]) => total + requests, 0)

const withWaiting = (waiting: readonly number[], rank: Rank, untilMs: number): number[] =>
  reserves.map((_, at) => (at === rank ? untilMs : (waiting[at] ?? 0)))

/** The time of the grant with whose end one request is free again. */
function freeAtMs(grants: RateState['grants'], allowed: number): number {
  let used = sum(grants)
  for (const [atMs, requests] of grants) {
    used -= requests
    if (used < allowed) return atMs
  }
  return 0
}

/** Nothing holds longer. */
const longestMs = 86_400_000

export function learnLimits(state: RateState, { limit, left, holdMs = 0 }: RateNews, nowMs: number): RateState {
  const learned = limit ?? state.learned
  const emptyMs = left?.requests === 0 ? left.resetMs : 0
  const holdUntilMs = Math.max(state.holdUntilMs, nowMs + Math.min(longestMs, Math.max(holdMs, emptyMs)))
  const more = left && learned ? usedElsewhere(state, learned, { left, nowMs }) : undefined
  const grants = more ? [...state.grants, more].toSorted(([one], [other]) => one - other) : state.grants
  return { ...state, learned, holdUntilMs, grants }
}

type Leftover = { readonly left: NonNullable<RateNews['left']>; readonly nowMs: number }

/** What others than this hub have taken of the same account counts until the service begins anew. */
function usedElsewhere(
  { grants }: RateState,
  { requests, perMs }: RateLimit,
  { left, nowMs }: Leftover,
): readonly [number, number] | undefined {
  const spanMs = perMs + grantMs
  const known = sum(grants.filter(([atMs]) => atMs > nowMs - spanMs))
  const others = requests - left.requests - known
  return others > 0 ? [nowMs + Math.min(left.resetMs, perMs) - spanMs, others] : undefined
}
