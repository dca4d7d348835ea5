import type { Context, FetchOptions, Polled, PollPlace, PollRecord } from '@sluice/sdk/integration'
import { pathOf, type Repository } from './actions.ts'
import { createGithub, type Github, type GithubPage } from './client.ts'
import { largestPage } from './list.ts'
import { toIssue, type RawIssue } from './shapes.ts'
import { beginning, earlier, toTime } from './time.ts'

type Inputs = Repository & {
  readonly since?: string
  readonly labels?: readonly string[]
  readonly include_pull_requests?: boolean
}

/** What is known after a poll. All times are GitHub's: no clock of ours decides what is new. */
type State = {
  /** what was updated since then is looked at next */
  readonly from: string
  /** what was created before is not new */
  readonly floor: string
  /** `id@time` of what was handed out and is looked at again */
  readonly seen: readonly string[]
  /** the tag of the answer for `from` */
  readonly etag?: string | undefined
}

/** A change may become visible some seconds after one that is younger. */
const lookBackMs = 60_000
/** Of one poll: a thousand issues. The next one goes on from there. */
const mostPages = 10

export type IssueTrigger = {
  readonly sort: 'created' | 'updated'
  readonly timeOf: (issue: RawIssue) => string
  readonly recordOf: (issue: RawIssue) => PollRecord
}

export const newIssue: IssueTrigger = {
  sort: 'created',
  timeOf: (issue) => issue.created_at,
  recordOf: (issue) => ({ id: issue.id, data: toIssue(issue) }),
}

/** Each change is a record: the same id, with another version. */
export const updatedIssue: IssueTrigger = {
  sort: 'updated',
  timeOf: (issue) => issue.updated_at,
  recordOf: (issue) => ({ id: issue.id, version: issue.updated_at, data: toIssue(issue) }),
}

/**
 * Polls the issues of a repository, oldest first. The first poll answers the newest hundred, or what there is since `since`; each
 * later one what came after, found by time of update, so that nothing is skipped while issues move between pages.
 */
export async function pollIssues(
  trigger: IssueTrigger,
  inputs: Inputs,
  place: PollPlace,
  context: Context,
): Promise<Polled> {
  const github = createGithub(context)
  const since = inputs.since ?? place.last_poll_ts
  const state = isState(place.state) ? place.state : since ? beginAt(toTime('since', since)) : undefined
  const look = state ? await lookOn(github, inputs, state) : await lookFirst(github, inputs, trigger)
  if (look === undefined) return { records: [], state }
  const { issues, next } = look
  const { floor, seen } = state ?? beginAt(beginning)
  const keyOf = (issue: RawIssue): string => `${issue.id}@${trigger.timeOf(issue)}`
  const known = new Set(seen)
  const fresh = issues.filter(
    (issue) => !known.has(keyOf(issue)) && (trigger.sort === 'updated' || issue.created_at >= floor),
  )
  const unique = [...new Map(fresh.map((issue) => [keyOf(issue), issue])).entries()]
  const window = trigger.sort === 'updated' ? next.from : next.floor
  const kept = [...seen, ...unique.map(([key]) => key)].filter((key) => key.slice(key.indexOf('@') + 1) >= window)
  const records = unique
    .map(([, issue]) => issue)
    .filter((issue) => matches(issue, inputs))
    .toSorted((left, right) => trigger.timeOf(left).localeCompare(trigger.timeOf(right)))
    .map(trigger.recordOf)
  return { records, state: { ...next, seen: kept } satisfies State }
}

type Look = { readonly issues: readonly RawIssue[]; readonly next: Omit<State, 'seen'> }

const beginAt = (time: string): State => ({ from: time, floor: time, seen: [] })

async function lookFirst(github: Github, inputs: Inputs, { sort, timeOf }: IssueTrigger): Promise<Look> {
  const params = { state: 'all', sort, direction: 'desc', per_page: largestPage }
  const page = await github.page<RawIssue[]>(`${pathOf(inputs)}/issues`, { params })
  const issues = page.changed ? page.data : []
  const latest = issues.map(timeOf).toSorted().at(-1)
  const from = latest === undefined ? beginning : earlier(latest, lookBackMs)
  return { issues, next: { from, floor: from } }
}

/** Undefined where nothing has changed. */
async function lookOn(github: Github, inputs: Inputs, state: State): Promise<Look | undefined> {
  const path = `${pathOf(inputs)}/issues`
  const issues: RawIssue[] = []
  let [since, next, pages]: [string, string | undefined, number] = [state.from, path, 0]
  let tag: string | undefined
  while (next !== undefined && pages < mostPages) {
    const params: FetchOptions['params'] =
      next === path ? { state: 'all', sort: 'updated', direction: 'asc', per_page: largestPage, since } : {}
    const page: GithubPage<RawIssue[]> = await github.page(next, { params, etag: pages === 0 ? state.etag : undefined })
    if (!page.changed) return undefined
    pages += 1
    tag = pages === 1 ? page.etag : undefined
    issues.push(...page.data)
    // Pages move while issues do; a time stays. The second before, since some have the same time.
    const reached: string | undefined = page.data.at(-1)?.updated_at
    const again: string = reached === undefined ? since : earlier(reached, 1000)
    next = page.next !== undefined && again > since ? path : page.next
    if (next === path) since = again
  }
  return { issues, next: toNext(state, { issues, isComplete: next === undefined, tag }) }
}

type Looked = { readonly issues: readonly RawIssue[]; readonly isComplete: boolean; readonly tag: string | undefined }

function toNext(state: State, { issues, isComplete, tag }: Looked): Omit<State, 'seen'> {
  const latest = issues
    .map((issue) => issue.updated_at)
    .toSorted()
    .at(-1)
  if (latest === undefined) return { from: state.from, floor: state.floor, etag: tag }
  const reached = earlier(latest, isComplete ? lookBackMs : 1000)
  const from = reached > state.from ? reached : state.from
  return { from, floor: isComplete ? from : state.floor, etag: from === state.from ? tag : undefined }
}

function matches(issue: RawIssue, { labels = [], include_pull_requests: withPullRequests = false }: Inputs): boolean {
  if (issue.pull_request !== undefined && !withPullRequests) return false
  const own = toIssue(issue).labels
  return labels.every((label) => own.includes(label))
}

function isState(value: unknown): value is State {
  if (typeof value !== 'object' || value === null) return false
  const { from, floor, seen } = value as Partial<State> // looked at next
  return typeof from === 'string' && typeof floor === 'string' && Array.isArray(seen)
}
