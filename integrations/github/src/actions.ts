import type { ActionResult, Context } from '@sluice/sdk/integration'
import { createGithub } from './client.ts'
import { listItems } from './list.ts'
import { toIssue, toRelease, toRepository, type RawIssue, type RawRelease, type RawRepository } from './shapes.ts'

export type Repository = { readonly owner: string; readonly repo: string }
type Listed = { readonly limit?: number }
type IssueNumber = Repository & { readonly number: number }
type IssueText = {
  readonly title?: string
  readonly body?: string
  readonly labels?: string[]
  readonly assignees?: string[]
}

const defaultLimit = 30

export const pathOf = ({ owner, repo }: Repository): string =>
  `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(repo)}`

type ListIssues = Repository &
  Listed & {
    readonly state?: string
    readonly labels?: readonly string[]
    readonly assignee?: string
    readonly creator?: string
    readonly since?: string
    readonly sort?: string
    readonly direction?: string
    readonly include_pull_requests?: boolean
  }

export async function listIssues(inputs: ListIssues, context: Context): Promise<ActionResult> {
  const { state, labels, assignee, creator, since, sort, direction, limit = defaultLimit } = inputs
  const params = { state, labels: labels?.join(','), assignee, creator, since, sort, direction }
  const isWanted = (issue: RawIssue): boolean =>
    inputs.include_pull_requests === true || issue.pull_request === undefined
  const itemsOf = (page: RawIssue[]): RawIssue[] => page.filter(isWanted)
  const { items, more } = await listItems<RawIssue>(createGithub(context), `${pathOf(inputs)}/issues`, {
    params,
    limit,
    itemsOf,
  })
  return { data: { issues: items.map(toIssue), more } }
}

export async function getIssue(inputs: IssueNumber, context: Context): Promise<ActionResult> {
  return { data: toIssue(await createGithub(context).request(`${pathOf(inputs)}/issues/${inputs.number}`)) }
}

export async function createIssue(inputs: Repository & IssueText, context: Context): Promise<ActionResult> {
  const { owner, repo, ...json } = inputs
  const path = `${pathOf({ owner, repo })}/issues`
  return { data: toIssue(await createGithub(context).request(path, { method: 'POST', json })) }
}

type UpdateIssue = IssueNumber & IssueText & { readonly state?: string; readonly state_reason?: string }

export async function updateIssue(inputs: UpdateIssue, context: Context): Promise<ActionResult> {
  const { owner, repo, number, ...json } = inputs
  const path = `${pathOf({ owner, repo })}/issues/${number}`
  return { data: toIssue(await createGithub(context).request(path, { method: 'PATCH', json })) }
}

type RawComment = { readonly id: number; readonly html_url: string; readonly created_at: string }

export async function commentOnIssue(
  inputs: IssueNumber & { readonly body: string },
  context: Context,
): Promise<ActionResult> {
  const path = `${pathOf(inputs)}/issues/${inputs.number}/comments`
  const json = { body: inputs.body }
  const {
    id,
    html_url: url,
    created_at,
  } = await createGithub(context).request<RawComment>(path, { method: 'POST', json })
  return { data: { id, url, created_at } }
}

type ListRepositories = Listed & { readonly organization?: string; readonly user?: string; readonly sort?: string }

/** Those of an organization, of a user, or else those that the token may see. */
export async function listRepositories(inputs: ListRepositories, context: Context): Promise<ActionResult> {
  const { organization, user, sort, limit = defaultLimit } = inputs
  const whose = organization
    ? `/orgs/${encodeURIComponent(organization)}`
    : user
      ? `/users/${encodeURIComponent(user)}`
      : '/user'
  const itemsOf = (page: RawRepository[]): RawRepository[] => page
  const options = { params: { sort }, limit, itemsOf }
  const { items, more } = await listItems<RawRepository>(createGithub(context), `${whose}/repos`, options)
  return { data: { repositories: items.map(toRepository), more } }
}

export async function getRepository(inputs: Repository, context: Context): Promise<ActionResult> {
  return { data: toRepository(await createGithub(context).request(pathOf(inputs))) }
}

export async function listReleases(inputs: Repository & Listed, context: Context): Promise<ActionResult> {
  const itemsOf = (page: RawRelease[]): RawRelease[] => page
  const options = { limit: inputs.limit ?? defaultLimit, itemsOf }
  const { items, more } = await listItems<RawRelease>(createGithub(context), `${pathOf(inputs)}/releases`, options)
  return { data: { releases: items.map(toRelease), more } }
}

type CreateRelease = Repository & {
  readonly tag: string
  readonly target?: string
  readonly name?: string
  readonly body?: string
  readonly draft?: boolean
  readonly prerelease?: boolean
  readonly generate_notes?: boolean
}

export async function createRelease(inputs: CreateRelease, context: Context): Promise<ActionResult> {
  const { owner, repo, tag, target, generate_notes: generateNotes, ...rest } = inputs
  const json = { ...rest, tag_name: tag, target_commitish: target, generate_release_notes: generateNotes }
  const path = `${pathOf({ owner, repo })}/releases`
  return { data: toRelease(await createGithub(context).request(path, { method: 'POST', json })) }
}

type SearchIssues = Listed & { readonly query: string; readonly sort?: string; readonly order?: string }
type SearchPage = { readonly total_count: number; readonly incomplete_results: boolean; readonly items: RawIssue[] }

export async function searchIssues(inputs: SearchIssues, context: Context): Promise<ActionResult> {
  const { query, sort, order, limit = defaultLimit } = inputs
  const options = { params: { q: query, sort, order }, limit, itemsOf: (page: SearchPage) => page.items }
  const { items, first } = await listItems<RawIssue, SearchPage>(createGithub(context), '/search/issues', options)
  const found = { total: first?.total_count ?? 0, incomplete: first?.incomplete_results ?? false }
  return { data: { ...found, issues: items.map(toIssue) } }
}
