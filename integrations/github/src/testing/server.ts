import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RawIssue, RawRelease } from '../shapes.ts'

/** An answer that is given instead of the next one. */
type Fault = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }

export type FakeGithub = {
  readonly url: string
  readonly issues: RawIssue[]
  readonly releases: RawRelease[]
  /** what was asked: method and address, and the status of the answer */
  readonly asked: string[]
  /** Opens an issue, or changes one that is there. */
  readonly put: (issue: Partial<RawIssue> & { readonly number: number }) => void
  readonly release: (release: Partial<RawRelease> & { readonly id: number }) => void
  /** Called before each answer: to change things while pages are read. */
  onAsked: ((address: string) => void) | undefined
  readonly failNext: (...faults: readonly Fault[]) => void
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

const token = 'ghp_test'
/** Of the server; tests run at any time. */
const startMs = Date.parse('2026-03-01T12:00:00Z')

/**
 * The part of GitHub's REST API that the integration uses, for the repository `acme/shop`: pages with Link fields, `since`, tags and
 * 304, the token `ghp_test`, no answer without a user agent.
 */
export async function startGithub(): Promise<FakeGithub> {
  const faults: Fault[] = []
  const server = createServer((request, response) => void answer(fake, faults, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on a port
  const fake: FakeGithub = {
    url,
    issues: [],
    releases: [],
    asked: [],
    put: (issue) => {
      const at = fake.issues.findIndex(({ number }) => number === issue.number)
      const before = fake.issues[at] ?? toBlank(issue.number)
      if (at >= 0) fake.issues.splice(at, 1)
      fake.issues.push({ ...before, ...issue })
    },
    release: (release) => void fake.releases.unshift({ ...blankRelease, tag_name: `v${release.id}`, ...release }),
    onAsked: undefined,
    failNext: (...next) => void faults.push(...next),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}

const toBlank = (number: number): RawIssue => ({
  id: 1000 + number,
  number,
  title: `issue ${number}`,
  body: null,
  state: 'open',
  labels: [],
  assignees: [],
  user: { login: 'octocat' },
  comments: 0,
  html_url: `https://github.com/acme/shop/issues/${number}`,
  created_at: new Date(startMs).toISOString().replace('.000', ''),
  updated_at: new Date(startMs).toISOString().replace('.000', ''),
  closed_at: null,
})

const blankRelease = {
  name: null,
  body: null,
  draft: false,
  prerelease: false,
  author: { login: 'octocat' },
  html_url: 'https://github.com/acme/shop/releases',
  created_at: '2026-03-01T12:00:00Z',
  published_at: '2026-03-01T12:00:00Z',
}

const repository = {
  id: 7,
  name: 'shop',
  full_name: 'acme/shop',
  owner: { login: 'acme' },
  private: true,
  archived: false,
  description: null,
  default_branch: 'main',
  html_url: 'https://github.com/acme/shop',
  language: 'TypeScript',
  stargazers_count: 3,
  open_issues_count: 1,
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  pushed_at: null,
}

const account = {
  login: 'octocat',
  id: 1,
  email: 'octocat@github.com',
  avatar_url: 'https://github.com/o.png',
  company: 'GitHub',
}

type Body = Record<string, unknown>

async function answer(
  fake: FakeGithub,
  faults: Fault[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/', headers } = request
  fake.onAsked?.(url)
  const text = await readText(request)
  const address = new URL(url, fake.url)
  const found =
    faults.shift() ??
    refuse(headers) ??
    route(fake, { method, address, body: text === '' ? {} : (JSON.parse(text) as Body) })
  const body = JSON.stringify(found.body ?? null)
  const etag = `W/"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`
  const isKnown = found.status === 200 && headers['if-none-match'] === etag
  const status = isKnown ? 304 : found.status
  fake.asked.push(`${method} ${url} ${status}`)
  const date = new Date(startMs).toUTCString()
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', etag, date, ...found.headers })
  response.end(isKnown ? undefined : body)
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer) // no encoding was set
  return Buffer.concat(parts).toString()
}

function refuse(headers: IncomingMessage['headers']): Fault | undefined {
  if (!headers['user-agent']) return { status: 403, body: { message: 'Request forbidden by administrative rules.' } }
  if (headers.authorization !== `Bearer ${token}`) return { status: 401, body: { message: 'Bad credentials' } }
  return undefined
}

type Asked = { readonly method: string; readonly address: URL; readonly body: Body }

function route(fake: FakeGithub, { method, address, body }: Asked): Fault {
  const path = `${method} ${address.pathname}`
  const [, number] = /^\/repos\/acme\/shop\/issues\/(\d+)/.exec(address.pathname) ?? []
  const issue = fake.issues.find((one) => one.number === Number(number))
  if (path === 'GET /user') return { status: 200, body: account }
  if (path === 'GET /user/repos' || path === 'GET /orgs/acme/repos') return toPage([repository], address)
  if (path === 'GET /repos/acme/shop') return { status: 200, body: repository }
  if (path === 'GET /repos/acme/shop/issues') return toPage(selectIssues(fake.issues, address.searchParams), address)
  if (path === 'GET /repos/acme/shop/releases') return toPage(fake.releases, address)
  if (path === 'GET /search/issues') return search(fake, address)
  if (path === 'POST /repos/acme/shop/issues') return open(fake, body)
  if (path === 'POST /repos/acme/shop/releases') return makeRelease(fake, body)
  if (issue && method === 'GET') return { status: 200, body: issue }
  if (issue && path.endsWith('/comments'))
    return { status: 201, body: { id: 5, html_url: `${issue.html_url}#issuecomment-5`, created_at: issue.created_at } }
  if (issue && method === 'PATCH') {
    fake.put({ ...issue, ...body, number: issue.number })
    return { status: 200, body: fake.issues.at(-1) }
  }
  return { status: 404, body: { message: 'Not Found', documentation_url: 'https://docs.github.com/rest' } }
}

function selectIssues(issues: readonly RawIssue[], query: URLSearchParams): RawIssue[] {
  const { state = 'open', sort = 'created', direction = 'desc', since = '', labels } = Object.fromEntries(query)
  const timeOf = (issue: RawIssue): string => (sort === 'updated' ? issue.updated_at : issue.created_at)
  const sign = direction === 'asc' ? 1 : -1
  return issues
    .filter((issue) => (state === 'all' || issue.state === state) && issue.updated_at >= since)
    .filter((issue) => labels === undefined || labels.split(',').every((label) => issue.labels.includes(label)))
    .toSorted((left, right) => sign * (timeOf(left).localeCompare(timeOf(right)) || left.number - right.number))
}

function toPage(items: readonly unknown[], address: URL, wrap = (page: readonly unknown[]): unknown => page): Fault {
  const size = Number(address.searchParams.get('per_page') ?? 30)
  const page = Number(address.searchParams.get('page') ?? 1)
  const last = Math.max(1, Math.ceil(items.length / size))
  const linkTo = (to: number, rel: string): string => {
    const url = new URL(address)
    url.searchParams.set('page', String(to))
    return `<${url.href}>; rel="${rel}"`
  }
  const links = [
    ...(page > 1 ? [linkTo(page - 1, 'prev'), linkTo(1, 'first')] : []),
    ...(page < last ? [linkTo(page + 1, 'next'), linkTo(last, 'last')] : []),
  ]
  const body = wrap(items.slice((page - 1) * size, page * size))
  return { status: 200, body, headers: links.length > 0 ? { link: links.join(', ') } : {} }
}

function search(fake: FakeGithub, address: URL): Fault {
  const words = address.searchParams.get('q') ?? ''
  const found = fake.issues.filter(({ title }) => title.includes(words))
  return toPage(found, address, (items) => ({ total_count: found.length, incomplete_results: false, items }))
}

function open(fake: FakeGithub, { title, body, labels = [] }: Body): Fault {
  if (title === 'bad')
    return {
      status: 422,
      body: { message: 'Validation Failed', errors: [{ resource: 'Issue', field: 'assignees', code: 'invalid' }] },
    }
  const number = fake.issues.length + 1
  fake.put({ number, title: String(title), body: typeof body === 'string' ? body : null, labels: labels as string[] })
  return { status: 201, body: fake.issues.at(-1) }
}

function makeRelease(fake: FakeGithub, body: Body): Fault {
  fake.release({ ...(body as Partial<RawRelease>), id: fake.releases.length + 1 })
  return { status: 201, body: fake.releases[0] }
}
