import { createHash } from 'node:crypto'
import type { HubResponse } from './exchange.ts'

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --soft: color-mix(in srgb, currentColor 65%, transparent) }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem }
h1 { font-size: 1.6rem } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) } h3 { font-size: 1rem; margin: 2rem 0 .25rem }
code, pre { font: 13px/1.5 ui-monospace, monospace } pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: 6px }
table { border-collapse: collapse; width: 100%; font-size: 14px } th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line) }
th, .soft { color: var(--soft); font-weight: normal } a { color: inherit } nav a { display: inline-block; margin-right: 1rem } details { margin: .5rem 0 }
`

export type PageOptions = {
  /** default 200 */
  readonly status?: number
  /** beside that of every page */
  readonly style?: string
  /** where its forms may lead, redirects behind them included; default nowhere */
  readonly formAction?: readonly string[]
  readonly fields?: Readonly<Record<string, string>>
}

/** A page without any script, whose style alone is let through. @param body HTML, escaped already */
export function page(title: string, body: string, options: PageOptions = {}): HubResponse {
  const { status = 200, style: more = '', formAction = [`'none'`], fields = {} } = options
  const whole = style + more
  const text = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${whole}</style></head><body>${body}</body></html>`
  const policy = `default-src 'none'; style-src 'sha256-${toHash(whole)}'; base-uri 'none'; form-action ${formAction.join(' ')}; frame-ancestors 'none'`
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    ...fields,
  }
  return { status, headers, body: text }
}

const hashes = new Map<string, string>()

/** There are as many styles as kinds of pages. */
function toHash(text: string): string {
  const known = hashes.get(text) ?? createHash('sha256').update(text).digest('base64')
  hashes.set(text, known)
  return known
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character)
}
