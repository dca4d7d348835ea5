import type { AuthConfig, IntegrationConfig } from '@sluice/sdk/integration'

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * A module of types for a configuration: `Config`, for `Integration.load<Config>()`, and a type for the inputs and for the
 * outputs of each action and trigger. Nothing of it is there when the integration runs.
 *
 * @param name of the folder, for the first line
 */
export function toIntegrationTypes(config: IntegrationConfig, name: string): string {
  const { actions, polling_triggers: triggers, auth } = config
  const source = {
    ...(auth && { auth: toAuthSource(auth) }),
    actions: toSchemas(actions),
    polling_triggers: toSchemas(triggers),
  }
  const taken = new Set(['Config', 'Credentials'])
  return [
    `// Written by: sluice integrations types ${name}. Change config.json and write it again.`,
    "import type { CredentialsOf, InputsOf, OutputOf } from '@sluice/sdk/integration'\n",
    `export type Config = ${JSON.stringify(source, undefined, 2)}\n`,
    '/** What the connection holds. */\nexport type Credentials = CredentialsOf<Config>\n',
    ...Object.entries(actions).map(([key, { description }]) =>
      toPair({ key, description, type: toTypeName(key, taken), more: '' }),
    ),
    ...Object.entries(triggers).map(([key, { description }]) =>
      toPair({ key, description, type: toTypeName(key, taken), more: ", 'polling_triggers'" }),
    ),
  ].join('\n')
}

function toAuthSource({ type, methods }: AuthConfig): Json {
  const sources = methods.map(({ id, type: own, fields }): [id: string, source: Json] => [
    id,
    { type: own, ...(fields && { fields: toTypeSchema(fields) }) },
  ])
  return type === 'choice' ? { methods: Object.fromEntries(sources) } : (sources[0]?.[1] ?? {})
}

type Named = { readonly key: string; readonly description: string; readonly type: string; readonly more: string }

function toPair({ key, description, type, more }: Named): string {
  const words = description.trim().replaceAll(/\s+/g, ' ').replaceAll('*/', '* /')
  const given = `Config, ${JSON.stringify(key)}${more}`
  return `/** ${words} */\nexport type ${type}Inputs = InputsOf<${given}>\nexport type ${type}Output = OutputOf<${given}>\n`
}

/** `get_user` is GetUser; a trigger of the same name GetUser2. */
function toTypeName(key: string, taken: Set<string>): string {
  const words = key.replaceAll(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, first: string) => first.toUpperCase())
  const name = words.replaceAll(/[^A-Za-z0-9]/g, '').replace(/^(?=\d|$)/, 'T')
  let free = name
  for (let more = 2; taken.has(free); more += 1) free = `${name}${more}`
  taken.add(free)
  return free
}

type Schemas = { readonly input_schema: unknown; readonly output_schema: unknown }

const toSchemas = (all: Readonly<Record<string, Schemas>>): Json =>
  Object.fromEntries(
    Object.entries(all).map(([key, one]) => [
      key,
      { input_schema: toTypeSchema(one.input_schema), output_schema: toTypeSchema(one.output_schema) },
    ]),
  )

/** Only what makes a type: descriptions and limits would have to be written again for every word that changes. */
function toTypeSchema(schema: unknown): Json {
  if (!isObject(schema)) return schema === true || schema === false ? schema : {}
  const kept: Record<string, Json> = {}
  for (const name of ['type', 'enum', 'const', 'required'])
    if (schema[name] !== undefined) kept[name] = schema[name] as Json // as it was parsed
  for (const name of ['items', 'additionalProperties'])
    if (schema[name] !== undefined) kept[name] = Array.isArray(schema[name]) ? [] : toTypeSchema(schema[name])
  for (const name of ['anyOf', 'oneOf']) {
    const options = schema[name]
    if (Array.isArray(options)) kept[name] = options.map(toTypeSchema)
  }
  const { properties } = schema
  if (isObject(properties))
    kept['properties'] = Object.fromEntries(
      Object.entries(properties).map(([name, part]) => [name, toTypeSchema(part)]),
    )
  return kept
}
