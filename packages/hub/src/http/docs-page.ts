import { permissionsOf, problems, routes, toOpenapi, type Route } from '@sluice/protocol'
import { escapeHtml } from './html.ts'

type Json = { readonly [name: string]: unknown }
type Operation = {
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly schema: Json
    readonly description?: string
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> }
  readonly responses: Readonly<
    Record<
      string,
      { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema: Json }>> }
    >
  >
}

/** The reference for people, made from the same description that machines read at `/openapi.json`. */
export function printDocs(version: string): string {
  const document = toOpenapi(version, '/') as {
    paths: Record<string, Record<string, Operation>>
    components: { schemas: Record<string, Json> }
    tags: { name: string; description: string }[]
  } // what `toOpenapi` makes
  const byTag = Map.groupBy(Object.entries<Route>(routes), ([, route]) => tagOf(route))
  const chapters = document.tags.map(({ name, description }) => {
    const items = (byTag.get(name) ?? []).map(([id, route]) =>
      printRoute(id, route, document.paths[route.path]?.[route.method.toLowerCase()]),
    )
    return `<h2 id="${name}">${name}</h2><p class="soft">${escapeHtml(description)}</p>${items.join('')}`
  })
  const links = [...document.tags.map(({ name }) => name), 'problems', 'schemas'].map(
    (name) => `<a href="#${name}">${name}</a>`,
  )
  return `<h1>Sluice ${escapeHtml(version)}</h1>
<p>Send <code>Authorization: Bearer slk_…</code> with every request that needs a key. Times are ISO 8601 in UTC. Errors are problem details (RFC 9457).
For machines: <a href="/openapi.json">/openapi.json</a>.</p>
<nav>${links.join('')}</nav>${chapters.join('')}${printProblems()}${printSchemas(document.components.schemas)}`
}

function tagOf({ path, dialect }: Route): string {
  if (dialect) return 'dialects'
  const [, version, noun] = path.split('/')
  return version === 'v1' ? (noun ?? 'hub') : 'hub'
}

function printRoute(id: string, route: Route, operation: Operation | undefined): string {
  const roles = Object.entries(permissionsOf).filter(
    ([, permissions]) => route.access !== 'open' && permissions.includes(route.access),
  )
  const who = route.access === 'open' ? 'no key needed' : `roles: ${roles.map(([role]) => role).join(', ')}`
  const also = route.alias === undefined ? '' : `, also <code>${escapeHtml(route.alias)}</code>`
  return `<h3 id="${id}"><code>${route.method} ${escapeHtml(route.path)}</code></h3>
<p>${escapeHtml(route.summary)} <span class="soft">(${who}${route.access === 'instance' ? ' of the workspace default' : ''}${also})</span></p>
${printParameters(operation)}${printBody(operation)}${printAnswers(operation)}`
}

function printParameters(operation: Operation | undefined): string {
  const parameters = operation?.parameters ?? []
  if (parameters.length === 0) return ''
  const rows = parameters.map(
    (parameter) =>
      `<tr><td><code>${escapeHtml(parameter.name)}</code></td><td>${parameter.in}</td><td>${printType(parameter.schema)}</td><td>${escapeHtml(parameter.description ?? '')}</td></tr>`,
  )
  return `<table><tr><th>parameter<th>in<th>type<th></tr>${rows.join('')}</table>`
}

function printBody(operation: Operation | undefined): string {
  const content = Object.entries(operation?.requestBody?.content ?? {})
  return content
    .map(([mediaType, { schema }]) => `<p>Body, <code>${mediaType}</code>: ${printType(schema)}</p>`)
    .join('')
}

function printAnswers(operation: Operation | undefined): string {
  const answers = Object.entries(operation?.responses ?? {}).filter(([status]) => !status.endsWith('XX'))
  const rows = answers.map(([status, { description, content }]) => {
    const types = Object.entries(content ?? {}).map(([mediaType, { schema }]) =>
      mediaType === 'application/json' ? printType(schema) : mediaType,
    )
    return `<tr><td>${status}</td><td>${escapeHtml(description)}</td><td>${types.join(' ')}</td></tr>`
  })
  return `<table><tr><th>answer<th><th>holds</tr>${rows.join('')}</table>`
}

/** A link where the schema has a name; the schema itself, folded, where it has none and says more than a type. */
function printType(schema: Json): string {
  const reference = schema['$ref']
  if (typeof reference === 'string') {
    const name = escapeHtml(reference.split('/').at(-1) ?? '')
    return `<a href="#schema-${name}">${name}</a>`
  }
  const text = JSON.stringify(schema, null, 2)
  if (text.length < 80) return `<code>${escapeHtml(JSON.stringify(schema))}</code>`
  return `<details><summary>${escapeHtml(typeof schema['type'] === 'string' ? schema['type'] : 'one of several')}</summary><pre>${escapeHtml(text)}</pre></details>`
}

function printProblems(): string {
  const rows = Object.entries(problems).map(
    ([code, { status, title, help }]) =>
      `<tr><td>${status}</td><td><a href="/problems/${code}"><code>${code}</code></a></td><td>${escapeHtml(title)}. ${escapeHtml(help)}</td></tr>`,
  )
  return `<h2 id="problems">problems</h2><table><tr><th>status<th>error_code<th>what to do</tr>${rows.join('')}</table>`
}

function printSchemas(schemas: Readonly<Record<string, Json>>): string {
  const items = Object.entries(schemas).map(
    ([name, schema]) =>
      `<h3 id="schema-${escapeHtml(name)}">${escapeHtml(name)}</h3><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre>`,
  )
  return `<h2 id="schemas">schemas</h2>${items.join('')}`
}
