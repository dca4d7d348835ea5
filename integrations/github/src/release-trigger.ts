import type { Context, Polled, PollPlace } from '@sluice/sdk/integration'
import { pathOf, type Repository } from './actions.ts'
import { createGithub, type Github, type GithubPage } from './client.ts'
import { largestPage } from './list.ts'
import { toRelease, type RawRelease } from './shapes.ts'
import { beginning, earlier, toTime } from './time.ts'

type Inputs = Repository & { readonly since?: string; readonly include_prereleases?: boolean }

type State = {
  /** what was published before is not new */
  readonly floor: string
  /** ids of those that were published since and handed out */
  readonly seen: readonly number[]
  readonly etag?: string | undefined
}

/** GitHub lists releases by the age of their commit, not by when they were published: so a few pages are looked at. */
const mostPages = 3
const lookBackMs = 24 * 60 * 60 * 1000

/** Polls the published releases of a repository, oldest first. The first poll answers those that are there, or since `since`. */
export async function pollReleases(inputs: Inputs, place: PollPlace, context: Context): Promise<Polled> {
  const since = inputs.since ?? place.last_poll_ts
  const began: State = { floor: since ? toTime('since', since) : beginning, seen: [] }
  const state = isState(place.state) ? place.state : began
  const look = await lookAt(createGithub(context), inputs, state.etag)
  if (look === undefined) return { records: [], state }
  const published = look.releases
    .flatMap((release) =>
      release.published_at === null || release.draft ? [] : [{ release, at: release.published_at }],
    )
    .filter(({ at }) => at >= state.floor)
    .toSorted((left, right) => left.at.localeCompare(right.at))
  const latest = published.at(-1)?.at
  const reached = latest === undefined ? state.floor : earlier(latest, lookBackMs)
  const floor = reached > state.floor ? reached : state.floor
  const fresh = published.filter(({ release }) => !state.seen.includes(release.id))
  const seen = published.filter(({ at }) => at >= floor).map(({ release }) => release.id)
  const records = fresh
    .filter(({ release }) => inputs.include_prereleases !== false || !release.prerelease)
    .map(({ release }) => ({ id: release.id, data: toRelease(release) }))
  return { records, state: { floor, seen, etag: look.etag } satisfies State }
}

/** Undefined where nothing has changed: the tag is that of the first page, and kept only where there are no others. */
async function lookAt(github: Github, inputs: Inputs, etag: string | undefined) {
  const releases: RawRelease[] = []
  let next: string | undefined = `${pathOf(inputs)}/releases`
  let tag: string | undefined
  for (let pages = 0; next !== undefined && pages < mostPages; pages += 1) {
    const options = pages === 0 ? { params: { per_page: largestPage }, etag } : {}
    const page: GithubPage<RawRelease[]> = await github.page(next, options)
    if (!page.changed) return undefined
    releases.push(...page.data)
    tag = pages === 0 && page.next === undefined ? page.etag : undefined
    next = page.next
  }
  return { releases, etag: tag }
}

function isState(value: unknown): value is State {
  if (typeof value !== 'object' || value === null) return false
  const { floor, seen } = value as Partial<State> // looked at next
  return typeof floor === 'string' && Array.isArray(seen)
}
