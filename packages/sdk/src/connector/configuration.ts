import type { FromSchema } from '@sluice/protocol'
import { ConfigurationError } from '../integration/error.ts'
import { toPointer, type Note } from '../integration/report.ts'
import { toCheck } from '../integration/schema.ts'

/** What a value is read as. In the file all of them are texts. */
type SettingKind = 'secret' | 'text' | 'number' | 'boolean' | 'list' | 'json'

type SettingSource =
  | SettingKind
  | {
      readonly type: SettingKind
      /** may be left out */
      readonly optional?: boolean
      /** where it is left out or blank; as it would stand in the file */
      readonly default?: string
      readonly description?: string
      /** one of these only */
      readonly enum?: readonly string[]
    }

/** What a connector is configured with: settings by name, or a JSON Schema of the whole. */
export type ConfigurationSource =
  | Readonly<Record<string, SettingSource>>
  | {
      readonly type: 'object'
      readonly properties: Readonly<Record<string, unknown>>
      readonly required?: readonly string[]
    }

type ValueOf<Kind> = Kind extends 'number'
  ? number
  : Kind extends 'boolean'
    ? boolean
    : Kind extends 'list'
      ? readonly string[]
      : Kind extends 'json'
        ? unknown
        : string

type SettingValue<Source> = Source extends SettingKind
  ? ValueOf<Source>
  : Source extends { readonly type: infer Kind; readonly optional: true }
    ? ValueOf<Kind> | undefined
    : Source extends { readonly type: infer Kind }
      ? ValueOf<Kind>
      : never

/** What `update` is given, by what `configuration` declares. */
export type ConfigurationOf<Source> = Source extends { readonly type: 'object'; readonly properties: object }
  ? FromSchema<Source>
  : { readonly [Name in keyof Source]: SettingValue<Source[Name]> }

export type ReadConfiguration = {
  readonly values: Readonly<Record<string, unknown>>
  /** for what must never be shown or kept */
  readonly secrets: readonly string[]
}

/** Angle brackets, and what copies of examples are full of. */
const placeholder = /^(<[^<>]*>|your[_ -].*|changeme|xxx+)$/i
const maxSettings = 100
const shortestSecret = 4

/**
 * Reads the configuration of a sync: a flat object of texts.
 *
 * @throws ConfigurationError with every fault: what is missing or blank, no text, still a placeholder, or nothing that its kind is.
 * Values are not repeated
 * @example readConfiguration({ api_key: 'secret' }, { api_key: 'k-1' }).values // { api_key: 'k-1' }
 */
export function readConfiguration(source: ConfigurationSource, given: unknown): ReadConfiguration {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new ConfigurationError('the configuration must be a JSON object of names and texts')
  const entries = Object.entries(given as Record<string, unknown>) // just checked
  const notes = entries.flatMap(([name, value]) => checkText(name, value))
  if (entries.length > maxSettings) notes.push({ pointer: '', detail: `has more than ${maxSettings} members` })
  const texts = Object.fromEntries(entries.filter(([, value]) => typeof value === 'string')) as Record<string, string> // just filtered
  const read = isSchema(source) ? bySchema(source, texts, notes) : bySettings(source, texts, notes)
  if (notes.length > 0) throw new ConfigurationError('the configuration cannot be used:', notes)
  return { values: read.values, secrets: read.secrets.filter((secret) => secret.length >= shortestSecret) }
}

function checkText(name: string, value: unknown): Note[] {
  const pointer = toPointer(name)
  if (typeof value !== 'string')
    return [{ pointer, detail: `must be a text, in quotes; it is ${value === null ? 'null' : typeof value}` }]
  if (placeholder.test(value.trim())) return [{ pointer, detail: 'is still a placeholder; put the real value there' }]
  return []
}

const isSchema = (
  source: ConfigurationSource,
): source is Extract<ConfigurationSource, { readonly properties: unknown }> =>
  source['type'] === 'object' && typeof (source as { properties?: unknown }).properties === 'object'

type Schema = Extract<ConfigurationSource, { readonly properties: unknown }>

function bySchema(schema: Schema, texts: Record<string, string>, notes: Note[]): ReadConfiguration {
  const fault = toCheck({ ...schema })(texts)
  if (fault !== undefined) notes.push({ pointer: '', detail: fault })
  const secrets = Object.entries(texts).flatMap(([name, value]) => (isSecret(schema.properties[name]) ? [value] : []))
  return { values: texts, secrets }
}

const isSecret = (property: unknown): boolean =>
  typeof property === 'object' && property !== null && 'format' in property && property.format === 'password'

type Settings = Readonly<Record<string, SettingSource>>

function bySettings(settings: Settings, texts: Record<string, string>, notes: Note[]): ReadConfiguration {
  const values: Record<string, unknown> = {}
  const secrets: string[] = []
  for (const [name, source] of Object.entries(settings)) {
    const setting = typeof source === 'string' ? { type: source } : source
    const given = texts[name]
    const text = given === undefined || given.trim() === '' ? setting.default : given
    if (text === undefined) {
      const isReported = notes.some(({ pointer }) => pointer === toPointer(name))
      if (setting.optional !== true && !isReported)
        notes.push({ pointer: toPointer(name), detail: given === undefined ? 'is missing' : 'is blank' })
      continue
    }
    const parsed = parseSetting(setting, text)
    if ('fault' in parsed) notes.push({ pointer: toPointer(name), detail: parsed.fault })
    else values[name] = parsed.value
    if (setting.type === 'secret') secrets.push(text)
  }
  return { values, secrets }
}

type Setting = Exclude<SettingSource, string>

function parseSetting(
  { type, enum: allowed }: Setting,
  text: string,
): { readonly value: unknown } | { readonly fault: string } {
  if (allowed && !allowed.includes(text)) return { fault: `must be one of ${allowed.join(', ')}` }
  switch (type) {
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text.trim()) ? { value: Number(text) } : { fault: 'must be a number, in quotes' }
    case 'boolean': {
      const word = text.trim().toLowerCase()
      return word === 'true' || word === 'false' ? { value: word === 'true' } : { fault: 'must be "true" or "false"' }
    }
    case 'list':
      return {
        value: text
          .split(',')
          .map((item) => item.trim())
          .filter((item) => item !== ''),
      }
    case 'json':
      return parseJson(text)
    default:
      return { value: text }
  }
}

function parseJson(text: string): { readonly value: unknown } | { readonly fault: string } {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return { fault: 'must be JSON, in quotes' }
  }
}
