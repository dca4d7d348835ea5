import { randomBytes } from 'node:crypto'
import { HubError, problems } from '@sluice/protocol'
import { comeBack, leaveForProvider } from '../domain/connecting/browser.ts'
import { fillIn } from '../domain/connecting/credentials.ts'
import { formOf, isBrowserMethod } from '../domain/connecting/methods.ts'
import { finishSession, openSession, type Session } from '../domain/connecting/sessions.ts'
import type { Context } from '../domain/context.ts'
import type { ConnectionRow } from '../store/connections.ts'
import type { Handlers } from './call.ts'
import { readFields, toFaultsByField } from './connect-form.ts'
import { printConnect, printConnected, printFailed, printOnward } from './connect-page.ts'
import type { Dialect } from './dialects/dialect.ts'
import type { HubRequest, HubResponse } from './exchange.ts'
import { toProblemParts } from './problem.ts'

type ConnectPage = 'getConnectPage' | 'postConnectPage' | 'leaveConnectPage' | 'finishConnectPage'

const maxFormBytes = 65_536

/** The pages on which people connect accounts. Whoever has the address of one may: it is secret, and good for a short time. */
export function connectPages(context: Context): Pick<Handlers, ConnectPage> {
  const toPath = (token: string): string => `${basePath(context)}/connect/${encodeURIComponent(token)}`
  return {
    getConnectPage: async ({ params }) => {
      const session = await openSession(context, params.token)
      const path = toPath(params.token)
      const shown = printConnect({ session, path })
      return { ...shown, headers: { ...shown.headers, ...toVisit(context, path) } }
    },
    postConnectPage: async ({ request, params }) => {
      refuseOtherSites(request)
      const session = await openSession(context, params.token)
      const sent = new URLSearchParams((await request.readBody(maxFormBytes)).toString())
      return submit(context, { session, sent, path: toPath(params.token), request })
    },
    leaveConnectPage: async ({ request, params, query }) => {
      refuseOtherSites(request)
      requireVisit(request)
      const session = await openSession(context, params.token)
      const browser = findBrowser(request) ?? newBrowser()
      const url = await leaveForProvider(context, session, { method: query.method, fields: {}, browser })
      const headers = { location: url, 'cache-control': 'no-store', ...toCookie(context, browser) }
      return { status: 302, headers: { ...headers, 'referrer-policy': 'no-referrer' }, body: null }
    },
    finishConnectPage: async ({ request }) => {
      const back = await comeBack(context, { queryText: request.queryText, browser: findBrowser(request) })
      const { session } = back
      const path = toPath(session.token)
      if (back.outcome === 'connected') return finish(session, back.row, path)
      const name = session.installed.config.display_name ?? session.installed.name
      return printFailed(`${name} is not connected`, back.reason, { status: 400, path })
    },
  }
}

/** Behind a proxy the hub may be reached below a path. */
function basePath({ publicUrl }: Context): string {
  const url = publicUrl()
  return url === undefined ? '' : new URL(url).pathname.replace(/\/$/, '')
}

type Submission = {
  readonly session: Session
  readonly sent: URLSearchParams
  readonly path: string
  readonly request: HubRequest
}

async function submit(context: Context, submission: Submission): Promise<HubResponse> {
  const { session, sent, path, request } = submission
  const id = sent.get('method')
  const method = session.methods.find((one) => one.id === id)
  if (!method) throw new HubError('not-found', 'there is no such way to connect')
  const values = readFields(formOf(method), sent)
  try {
    if (isBrowserMethod(method)) {
      requireVisit(request)
      const browser = findBrowser(request) ?? newBrowser()
      const url = await leaveForProvider(context, session, { method: method.id, fields: values, browser })
      return printOnward(session, url, toCookie(context, browser))
    }
    const row = await finishSession(context, session, await fillIn(context, method, values))
    return finish(session, row, path)
  } catch (error) {
    const faults = toFaults(error)
    if (!faults) throw error
    return printConnect({ session, path, refused: { method: method.id, filled: { values, faults } } })
  }
}

/** What the person can mend on the same page: what was filled in, or that the provider said no to it. */
function toFaults(error: unknown): Map<string, string> | undefined {
  if (!(error instanceof HubError)) return undefined
  if (error.code === 'validation-error') return toFaultsByField(error.errors ?? [])
  const isOfProvider = error.code === 'conflict' || error.code === 'provider-unavailable'
  return isOfProvider ? new Map([['', error.message]]) : undefined
}

function finish(session: Session, row: ConnectionRow, path: string): HubResponse {
  if (session.returnUrl === undefined || row.accountError !== null) return printConnected(session, row, path)
  const url = new URL(session.returnUrl)
  url.searchParams.set('connection', row.key)
  return { status: 303, headers: { location: url.href, 'cache-control': 'no-store' }, body: null }
}

/** The address alone is what lets somebody in, but another site has no business in sending its form, or people past its page. */
function refuseOtherSites(request: HubRequest): void {
  const site = request.header('sec-fetch-site')
  if (site === undefined || site === 'same-origin' || site === 'none') return
  throw new HubError('forbidden', 'another site has sent this; open the link to connect itself')
}

const visitName = 'sluice_connect_page'

/**
 * Only who has seen whose connection it becomes may go on to the provider, where nobody may be asked again: an address sent by
 * somebody else would take an account without a word. Strict, and of this link alone.
 */
function toVisit(context: Context, path: string): { 'set-cookie': string } {
  return {
    'set-cookie': `${visitName}=1; HttpOnly; SameSite=Strict; Path=${path}; Max-Age=${cookieSeconds}${toSecure(context)}`,
  }
}

function requireVisit(request: HubRequest): void {
  if (new RegExp(`(?:^|;\\s*)${visitName}=1(?:;|$)`).test(request.header('cookie') ?? '')) return
  throw new HubError(
    'forbidden',
    'this browser has not seen the page before; open the link to connect, with cookies on',
  )
}

const toSecure = ({ publicUrl }: Context): string => (publicUrl()?.startsWith('https:') ? '; Secure' : '')

const cookieName = 'sluice_connect'
const cookieSeconds = 1800

const newBrowser = (): string => randomBytes(32).toString('base64url')

function findBrowser(request: HubRequest): string | undefined {
  const found = new RegExp(`(?:^|;\\s*)${cookieName}=([\\w-]{43})(?:;|$)`).exec(request.header('cookie') ?? '')
  return found?.[1]
}

/** Lax: it must come along when the provider sends the browser back, and only then. */
function toCookie(context: Context, browser: string): { 'set-cookie': string } {
  const path = `${basePath(context)}/connect`
  return {
    'set-cookie': `${cookieName}=${browser}; HttpOnly; SameSite=Lax; Path=${path}; Max-Age=${cookieSeconds}${toSecure(context)}`,
  }
}

/** Failures as pages: who sees them is a person with a browser. */
export const connectDialect: Dialect = {
  speaks: (path) => path.startsWith('/connect/'),
  toError: (error, context) => {
    const { code, problem, fields } = toProblemParts(error, context)
    const response = printFailed(problems[code].title, problem.detail ?? problem.title, { status: problem.status })
    return { ...response, headers: { ...response.headers, ...fields } }
  },
}
