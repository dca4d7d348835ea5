import type { AuthMethod } from '@sluice/sdk/integration'
import type { ConnectionRow } from '../store/connections.ts'
import { formOf, isBrowserMethod, propertiesOf } from '../domain/connecting/methods.ts'
import type { Session } from '../domain/connecting/sessions.ts'
import { printFields, unfilled, type Filled } from './connect-form.ts'
import type { HubResponse } from './exchange.ts'
import { escapeHtml, page } from './html.ts'

const style = `
body { max-width: 30rem } main > * { overflow-wrap: anywhere } form { margin: 1rem 0 2rem } .field { margin: 1rem 0 } .field p { margin: .2rem 0; font-size: 14px }
label { display: block; font-weight: 600; margin-bottom: .25rem } label .soft { font-size: 13px } .tick label { display: inline; margin-left: .5rem }
input:not([type=checkbox]), select, textarea { font: inherit; box-sizing: border-box; width: 100%; padding: .5rem .6rem; border: 1px solid color-mix(in srgb, currentColor 45%, transparent); border-radius: 6px; background: transparent; color: inherit }
textarea { font: 13px/1.5 ui-monospace, monospace } option { color: CanvasText; background: Canvas }
[aria-invalid] { border-color: light-dark(#b00020, #ff8a80) !important } .fault { color: light-dark(#b00020, #ff8a80) }
button, a.button { display: block; box-sizing: border-box; width: 100%; font: inherit; font-weight: 600; text-align: center; text-decoration: none; padding: .65rem; border: 1px solid transparent; border-radius: 6px; background: light-dark(#1f4fd8, #8fb0ff); color: light-dark(#fff, #101828); cursor: pointer }
button:focus-visible, a.button:focus-visible, input:focus-visible, select:focus-visible, textarea:focus-visible { outline: 3px solid light-dark(#8fb0ff, #1f4fd8); outline-offset: 2px }
.note { padding: .75rem 1rem; border: 1px solid var(--line); border-radius: 6px }
`

/** No copy of it stays anywhere. */
const fields = { 'cache-control': 'no-store' }

type Shown = {
  readonly status?: number
  readonly fields?: Readonly<Record<string, string>>
  readonly forms?: readonly string[]
}

function connectPage(
  title: string,
  body: string,
  { status = 200, fields: more = {}, forms = [] }: Shown = {},
): HubResponse {
  const formAction = forms.length === 0 ? [`'none'`] : forms
  return page(title, `<main><h1>${escapeHtml(title)}</h1>${body}</main>`, {
    status,
    style,
    formAction,
    fields: { ...fields, ...more },
  })
}

const nameOf = ({ installed: { config } }: Session): string => config.display_name ?? config.name

export type FormPage = {
  readonly session: Session
  /** of this page, as a browser sees it */
  readonly path: string
  /** what was wrong with the form of a method */
  readonly refused?: { readonly method: string; readonly filled: Filled } | undefined
}

/** A form, or the way to the provider, for each method. */
export function printConnect({ session, path, refused }: FormPage): HubResponse {
  const { methods, key, owner, isNew } = session
  const name = nameOf(session)
  const intro = `<p>${escapeHtml(session.installed.config.description)}</p>
<p class="soft">${isNew ? 'It becomes' : 'It goes on as'} the connection <code>${escapeHtml(key)}</code> of ${escapeHtml(owner.userId)} in the workspace ${escapeHtml(owner.workspace.key)}. Go on only if you expect that.</p>`
  const several = methods.length > 1
  const parts = methods.map((method) => {
    const title = several ? `<h2>${escapeHtml(method.title ?? method.id)}</h2>` : ''
    const help = method.help_text === undefined ? '' : `<p class="soft">${escapeHtml(method.help_text)}</p>`
    const filled = refused?.method === method.id ? refused.filled : unfilled
    return title + help + printMethod({ method, path, name, filled })
  })
  const returnOrigin = session.returnUrl === undefined ? [] : [new URL(session.returnUrl).origin]
  const status = refused ? 400 : 200
  return connectPage(`${isNew ? 'Connect' : 'Connect again:'} ${name}`, intro + parts.join(''), {
    status,
    forms: [`'self'`, ...returnOrigin],
  })
}

type MethodPart = {
  readonly method: AuthMethod
  readonly path: string
  readonly name: string
  readonly filled: Filled
}

function printMethod({ method, path, name, filled }: MethodPart): string {
  const form = formOf(method)
  const isEmpty = Object.keys(propertiesOf(form)).length === 0
  const fault = filled.faults.get('')
  const alert = fault === undefined ? '' : `<p class="fault" role="alert">${escapeHtml(fault)}</p>`
  if (isBrowserMethod(method) && isEmpty) {
    const href = `${path}/start?method=${encodeURIComponent(method.id)}`
    return `${alert}<p><a class="button" href="${escapeHtml(href)}">Continue with ${escapeHtml(name)}</a></p>`
  }
  return `<form method="post" action="${escapeHtml(path)}" autocomplete="off">${alert}<input type="hidden" name="method" value="${escapeHtml(method.id)}">
${printFields(form, filled, method.id)}<button type="submit">${isBrowserMethod(method) ? 'Continue' : 'Connect'}</button></form>`
}

/** For a form that comes before the provider: a redirect behind a form would be held against the policy of this page. */
export function printOnward(session: Session, url: string, cookie: Readonly<Record<string, string>>): HubResponse {
  const name = nameOf(session)
  const link = `<p><a class="button" href="${escapeHtml(url)}">Continue with ${escapeHtml(name)}</a></p>`
  return connectPage(`Connect ${name}`, `<p>Now ${escapeHtml(name)} asks you to agree.</p>${link}`, { fields: cookie })
}

/** @param path of the page to try it again on */
export function printConnected(session: Session, row: ConnectionRow, path: string): HubResponse {
  const name = nameOf(session)
  const who = toWho(row)
  if (row.accountError !== null)
    return connectPage(
      `${name} does not know this account`,
      `<p class="note fault" role="alert">${escapeHtml(row.accountError)}</p><p>The connection <code>${escapeHtml(row.key)}</code> was stored all the same.</p>${toRetry(path)}`,
    )
  const account =
    who === undefined ? '' : `<p class="note">You are connected as <strong>${escapeHtml(who)}</strong>.</p>`
  return connectPage(`${name} is connected`, `${account}<p>You may close this page.</p>`)
}

function toWho({ account }: ConnectionRow): string | undefined {
  if (account === null) return undefined
  const { first_name: first, last_name: last, email, username, user_id: id, organization } = account
  const person = [first, last].filter(Boolean).join(' ')
  const names = [person, email ?? username ?? (person === '' ? id : null), organization].filter(Boolean)
  return names.length === 0 ? undefined : names.join(', ')
}

const toRetry = (path: string): string => `<p><a class="button" href="${escapeHtml(path)}">Try again</a></p>`

/** @param path of the page to try it again on, where there is one */
export function printFailed(
  title: string,
  reason: string,
  { status, path }: { status: number; path?: string | undefined },
): HubResponse {
  const retry = path === undefined ? '' : toRetry(path)
  return connectPage(title, `<p class="note fault" role="alert">${escapeHtml(reason)}</p>${retry}`, { status })
}
