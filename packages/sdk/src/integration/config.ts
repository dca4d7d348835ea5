import { hostPatternForms, parseHostPattern } from '../http/host-pattern.ts'
import { readIdempotencyHeader, readRateLimit, type RateLimitConfig } from './request-rules.ts'
import type { AuthMethod } from './auth-methods.ts'
import { readOptionalTexts, readText } from './members.ts'
import { readAuth } from './read-auth.ts'
import { isObject, toPointer, type JsonObject, createReporter, type Report, type Reporter } from './report.ts'
import { readSchema } from './schema.ts'

export type ActionConfig = {
  readonly display_name?: string
  readonly description: string
  readonly input_schema: JsonObject
  readonly output_schema: JsonObject
}

export type PollingTriggerConfig = ActionConfig & {
  /** as it stands in the file: `30s`, `5m`, `1h`, `1d` */
  readonly polling_interval: string
  readonly intervalSeconds: number
}

export type AuthConfig = {
  /** `none`, `api_key`, `bearer`, `basic`, `custom`, `oauth2`, `platform`, `oauth2_pkce`, or what a later format brings; `choice` of several */
  readonly type: string
  readonly provider?: string
  readonly scopes?: readonly string[]
  readonly use_pkce?: boolean
  readonly title?: string
  readonly help_text?: string
  readonly identifier?: string
  /** JSON Schema of the credentials; not of a choice, where each method has its own */
  readonly fields?: JsonObject
  /** each way to show who is asking, in one form: one, or those of a choice */
  readonly methods: readonly AuthMethod[]
  /** as it stands in the file */
  readonly source: JsonObject
}

/** A `config.json`, checked. Members that nobody knows are left out. */
export type IntegrationConfig = {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly display_name?: string
  readonly entry_point?: string
  readonly auth?: AuthConfig
  /** hosts that may receive the credentials, as `api.example.com` or `*.example.com`: https, and its port unless one is named */
  readonly hosts?: readonly string[]
  /** the header in which the service takes idempotency keys */
  readonly idempotency_header?: string
  /** what one account may do; all that run share it */
  readonly rate_limit?: RateLimitConfig
  readonly actions: Readonly<Record<string, ActionConfig>>
  readonly polling_triggers: Readonly<Record<string, PollingTriggerConfig>>
  readonly supports_billing: boolean
  readonly supports_connected_account: boolean
}

export type ParsedConfig = Report & { readonly config: IntegrationConfig | undefined }

/**
 * Reads the text of a `config.json`. Every fault is reported at once; what can be mended without changing its meaning is, unless
 * `strict`, which refuses it.
 *
 * @example const { config, repairs, errors } = parseConfig(text)
 */
export function parseConfig(text: string, { strict = false }: { readonly strict?: boolean } = {}): ParsedConfig {
  const reporter = createReporter({ strict })
  const config = readConfig(parseJson(text, reporter), reporter)
  return { ...reporter.report(), config }
}

/** The same for a configuration that is an object already. */
export function checkConfig(value: unknown, { strict = false }: { readonly strict?: boolean } = {}): ParsedConfig {
  const reporter = createReporter({ strict })
  const config = readConfig(value, reporter)
  return { ...reporter.report(), config }
}

function parseJson(text: string, reporter: Reporter): unknown {
  try {
    // A byte order mark is no part of JSON, and some editors write one.
    return JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    reporter.error('', `is no JSON: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

function readConfig(value: unknown, reporter: Reporter): IntegrationConfig | undefined {
  if (value === undefined) return undefined
  if (!isObject(value)) {
    reporter.error('', 'must be a JSON object')
    return undefined
  }
  const config = {
    name: readText(value, 'name', reporter),
    version: readText(value, 'version', reporter),
    description: readText(value, 'description', reporter),
    ...readOptionalTexts(value, ['display_name', 'entry_point'], '', reporter),
    ...readAuth(value['auth'], reporter),
    ...readHosts(value['hosts'], reporter),
    ...readIdempotencyHeader(value['idempotency_header'], reporter),
    ...readRateLimit(value['rate_limit'], reporter),
    actions: readEach(value, 'actions', reporter, readAction),
    polling_triggers: readEach(value, 'polling_triggers', reporter, readTrigger),
    supports_billing: readFlag(value, 'supports_billing', reporter),
    supports_connected_account: readFlag(value, 'supports_connected_account', reporter),
  }
  return reporter.report().errors.length > 0 ? undefined : config
}

function readFlag(value: JsonObject, name: string, reporter: Reporter): boolean {
  const flag = value[name]
  if (flag === undefined || typeof flag === 'boolean') return flag === true
  const isTrue = /^("true"|"yes"|1)$/i.test(JSON.stringify(flag))
  reporter.repair(toPointer(name), `must be true or false; ${JSON.stringify(flag)} was taken as ${isTrue}`)
  return isTrue
}

type ReadOne<One> = (name: string, value: JsonObject, at: string, reporter: Reporter) => One | undefined

function readEach<One>(value: JsonObject, member: string, reporter: Reporter, read: ReadOne<One>): Record<string, One> {
  const all = value[member]
  if (all === undefined) return {}
  if (!isObject(all)) {
    reporter.error(toPointer(member), 'must be an object with a member for each')
    return {}
  }
  const found: Record<string, One> = {}
  for (const [name, one] of Object.entries(all)) {
    const at = toPointer(member, name)
    if (!isObject(one)) {
      reporter.error(at, 'must be an object')
      continue
    }
    const checked = read(name, one, at, reporter)
    if (checked !== undefined) found[name] = checked
  }
  return found
}

function readAction(_: string, value: JsonObject, at: string, reporter: Reporter): ActionConfig | undefined {
  const description = readText(value, 'description', reporter, at)
  const input = readRequiredSchema(value, 'input_schema', at, reporter)
  const output = readRequiredSchema(value, 'output_schema', at, reporter)
  if (!input || !output) return undefined
  return {
    ...readOptionalTexts(value, ['display_name'], at, reporter),
    description,
    input_schema: input,
    output_schema: output,
  }
}

function readRequiredSchema(value: JsonObject, name: string, at: string, reporter: Reporter): JsonObject | undefined {
  if (value[name] !== undefined) return readSchema(value[name], at + toPointer(name), reporter)
  reporter.error(at + toPointer(name), 'is missing; { "type": "object" } takes any object')
  return undefined
}

function readTrigger(
  name: string,
  value: JsonObject,
  at: string,
  reporter: Reporter,
): PollingTriggerConfig | undefined {
  const action = readAction(name, value, at, reporter)
  const interval = value['polling_interval']
  const intervalSeconds = typeof interval === 'string' ? parseInterval(interval) : undefined
  if (intervalSeconds === undefined) {
    const said = interval === undefined ? 'is missing' : `${JSON.stringify(interval)} is none`
    reporter.error(
      at + toPointer('polling_interval'),
      `${said}; write a whole number above 0 with s, m, h or d, as 30s or 5m`,
    )
  }
  if (!action || intervalSeconds === undefined) return undefined
  return { ...action, polling_interval: String(interval), intervalSeconds }
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds of `30s`, `5m`, `1h`, `1d`, the unit in either case; undefined for anything else, also for zero. */
export function parseInterval(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/i.exec(text.trim()) ?? []
  const seconds = Number(count) * (unitSeconds[unit.toLowerCase()] ?? 0)
  return seconds > 0 ? seconds : undefined
}

function readHosts(value: unknown, reporter: Reporter): { hosts?: string[] } {
  if (value === undefined) return {}
  const isHost = (host: unknown): host is string => typeof host === 'string' && parseHostPattern(host) !== undefined
  if (Array.isArray(value) && value.every(isHost)) return { hosts: value.map((host) => host.toLowerCase()) }
  reporter.error('/hosts', `must be a list of hosts, each ${hostPatternForms}`)
  return {}
}
