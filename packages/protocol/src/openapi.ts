import { z } from 'zod'
import { CloudEvent, cloudEventTypes } from './cloudevent.ts'
import { Problem } from './problem.ts'
import type { Route } from './route.ts'
import { routes } from './routes.ts'

type Json = Record<string, unknown>

/** The OpenAPI 3.1 description of the route table. @param version of the hub. @param url where it is reached */
export function toOpenapi(version: string, url: string): Json {
  const paths: Record<string, Json> = {}
  for (const [name, route] of Object.entries<Route>(routes)) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(name, route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version,
      summary: 'A self-hosted hub for events and integrations',
      description: 'Events go in, stay in a durable log, and are handed out through inboxes until somebody says done.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: components(),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic', description: 'the key as user name' },
        signature: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Sluice-Signature',
          description:
            '`sha256=` and the HMAC-SHA256 in hex of method, path with query, X-Sluice-Timestamp and body, with line feeds between; with X-Sluice-Key-Id where no key stands beside it',
        },
      },
    },
  }
}

const tags = {
  hub: 'The hub itself: state, description, metrics',
  events: 'Publish, read, search, explain and replay events',
  inboxes: 'Named views of the log with their own progress: lease, acknowledge, release, peek, stream',
  'event-types': 'Event types with the JSON Schemas of their payloads',
  quarantine: 'Events that their schemas keep back',
  activity: 'What happened, to be drawn',
  session: 'Signing in with a browser, and who one is',
  keys: 'API keys of the workspace',
  audit: 'Who did what',
  integrations: 'Outside services: what they can do, and doing it',
  connections: 'Credentials at outside services, which no route gives back',
  triggers: 'Polling triggers at work',
  sources: 'Addresses that take webhooks from outside',
  webhooks: 'What others send to sources',
  'scheduled-events': 'Events that wait for their time',
  schedules: 'Events made by the clock',
  filters: 'Filters of inboxes, tried before they are saved',
  runs: 'Runs of actions',
  costs: 'What runs have cost',
  budgets: 'What runs may cost',
  erasures: 'Payloads of one person, erased for good',
  workspaces: 'Tenants, for administrators of the instance',
  dialects: 'Requests of foreign clients, as these send them',
}

function tag(route: Route): string {
  if (route.dialect) return 'dialects'
  if (route.outside) return 'webhooks'
  const [, version, noun] = route.path.split('/')
  return version === 'v1' ? (noun ?? 'hub') : 'hub'
}

function operation(name: string, route: Route): Json {
  const parameters = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => ({
    name: parameter,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  return {
    operationId: name,
    summary: route.summary,
    tags: [tag(route)],
    security: route.access === 'open' ? [] : [{ bearer: [] }, { basic: [] }, { signature: [] }],
    parameters: [...parameters, ...queryParameters(route)],
    ...(route.body && { requestBody: { required: !route.bodyOptional, content: requestContent(name, route) } }),
    responses: responses(route),
  }
}

function requestContent(name: string, { body, cloudEvents }: Route): Json {
  return {
    ...(body && { 'application/json': { schema: reference(body) } }),
    ...(name === 'publishBatch' && { 'application/x-ndjson': { schema: { type: 'string' } } }),
    ...(cloudEvents === 'body' && { ...cloudEventContent('one'), ...cloudEventContent('many') }),
  }
}

function cloudEventContent(count: 'one' | 'many'): Json {
  const one = reference(CloudEvent)
  if (count === 'one') return { [cloudEventTypes.structured]: { schema: one } }
  return { [cloudEventTypes.batch]: { schema: { type: 'array', items: one } } }
}

function queryParameters(route: Route): Json[] {
  return Object.entries(route.query?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = reference(schema as z.ZodType) as { description?: string }
    return { name, in: 'query', required: false, ...(description && { description }), schema: rest }
  })
}

function responses(route: Route): Json {
  const answers = Object.entries(route.answers).map(([status, answer]) => {
    const schema = answer.schema ? reference(answer.schema) : { type: 'string' }
    const mediaType = answer.mediaType ?? (answer.schema ? 'application/json' : undefined)
    const also = route.cloudEvents === 'one' || route.cloudEvents === 'many' ? cloudEventContent(route.cloudEvents) : {}
    const content = mediaType && { [mediaType]: { schema }, ...(status === '200' && also) }
    return [status, { description: answer.description, ...(content && { content }) }]
  })
  const problem = {
    description: 'the problem',
    content: route.error
      ? { 'application/json': { schema: reference(route.error) } }
      : { 'application/problem+json': { schema: reference(Problem) } },
  }
  return { ...Object.fromEntries(answers), '4XX': problem, '5XX': problem }
}

const uri = (id: string): string => `#/components/schemas/${id}`

/** Named schemas become references, all others stand where they are used. */
function reference(schema: z.ZodType): Json {
  const id = schema.meta()?.['id']
  if (typeof id === 'string') return { $ref: uri(id) }
  const { $defs: _named, ...inline } = clean(
    z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override: simplify }),
  )
  // No string but a reference begins like this: names of members and patterns come from this package alone.
  return JSON.parse(JSON.stringify(inline).replaceAll('"#/$defs/', `"${uri('')}`)) as Json
}

function components(): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { uri, unrepresentable: 'any', io: 'input', override: simplify })
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, clean(schema as Json)]))
}

/** Leaves out what says nothing to a reader: the bounds of every integer, and patterns that repeat a format. */
function simplify({ jsonSchema }: { jsonSchema: Json }): void {
  if (jsonSchema['minimum'] === Number.MIN_SAFE_INTEGER) delete jsonSchema['minimum']
  if (jsonSchema['maximum'] === Number.MAX_SAFE_INTEGER) delete jsonSchema['maximum']
  if (jsonSchema['format'] !== undefined) delete jsonSchema['pattern']
}

function clean(schema: Json): Json {
  const { $schema: _schema, $id: _id, id: _name, ...rest } = schema
  return rest
}
