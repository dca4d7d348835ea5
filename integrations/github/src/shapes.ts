/** What is read of GitHub's answers, and what becomes of it. */
type User = { readonly login: string } | null

export type RawIssue = {
  readonly id: number
  readonly number: number
  readonly title: string
  readonly body: string | null
  readonly state: string
  readonly state_reason?: string | null
  readonly labels: readonly (string | { readonly name?: string })[]
  readonly assignees?: readonly User[] | null
  readonly milestone?: { readonly title: string } | null
  readonly user: User
  readonly comments: number
  readonly html_url: string
  readonly created_at: string
  readonly updated_at: string
  readonly closed_at: string | null
  readonly pull_request?: unknown
}

export const toIssue = (issue: RawIssue) => ({
  id: issue.id,
  number: issue.number,
  title: issue.title,
  body: issue.body,
  state: issue.state,
  state_reason: issue.state_reason ?? null,
  labels: issue.labels.map((label) => (typeof label === 'string' ? label : (label.name ?? ''))),
  assignees: (issue.assignees ?? []).flatMap((user) => (user ? [user.login] : [])),
  milestone: issue.milestone?.title ?? null,
  author: issue.user?.login ?? null,
  comments: issue.comments,
  url: issue.html_url,
  created_at: issue.created_at,
  updated_at: issue.updated_at,
  closed_at: issue.closed_at,
  is_pull_request: issue.pull_request !== undefined,
})

export type RawRepository = {
  readonly id: number
  readonly name: string
  readonly full_name: string
  readonly owner: { readonly login: string }
  readonly private: boolean
  readonly archived: boolean
  readonly description: string | null
  readonly default_branch: string
  readonly html_url: string
  readonly language: string | null
  readonly topics?: readonly string[]
  readonly stargazers_count: number
  readonly open_issues_count: number
  readonly created_at: string
  readonly updated_at: string
  readonly pushed_at: string | null
}

export const toRepository = (repository: RawRepository) => ({
  id: repository.id,
  name: repository.name,
  full_name: repository.full_name,
  owner: repository.owner.login,
  private: repository.private,
  archived: repository.archived,
  description: repository.description,
  default_branch: repository.default_branch,
  url: repository.html_url,
  language: repository.language,
  topics: [...(repository.topics ?? [])],
  stars: repository.stargazers_count,
  open_issues: repository.open_issues_count,
  created_at: repository.created_at,
  updated_at: repository.updated_at,
  pushed_at: repository.pushed_at,
})

export type RawRelease = {
  readonly id: number
  readonly tag_name: string
  readonly name: string | null
  readonly body: string | null
  readonly draft: boolean
  readonly prerelease: boolean
  readonly author: User
  readonly html_url: string
  readonly created_at: string
  readonly published_at: string | null
  readonly assets?: readonly { readonly name: string; readonly browser_download_url: string; readonly size: number }[]
}

export const toRelease = (release: RawRelease) => ({
  id: release.id,
  tag: release.tag_name,
  name: release.name,
  body: release.body,
  draft: release.draft,
  prerelease: release.prerelease,
  author: release.author?.login ?? null,
  url: release.html_url,
  created_at: release.created_at,
  published_at: release.published_at,
  assets: (release.assets ?? []).map(({ name, browser_download_url: url, size }) => ({ name, url, size })),
})
