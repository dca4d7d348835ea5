import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { findNetworkFault } from '@sluice/sdk/outbound'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'

export type Role = 'http' | 'deliver' | 'schedule'

export type HubOptions = {
  /** the data folder; made if it does not exist. With a database it holds local files only */
  readonly data: string
  /** Postgres instead of the embedded store */
  readonly database?: Database
  readonly host: string
  /** 0 takes a free one */
  readonly port: number
  /** each of at least 32 bytes; the first signs, all are accepted */
  readonly secretKeys: readonly Uint8Array[]
  readonly logLevel: string
  /** where clients reach the hub, if that is not where it listens */
  readonly publicUrl?: string
  /** CIDR blocks of the proxies whose `X-Forwarded-For` is believed */
  readonly trustProxy: readonly string[]
  /** origins whose pages may call the hub */
  readonly corsOrigins: readonly string[]
  /** the folder that holds integrations, each in a folder of its own; none without it */
  readonly integrations?: string
  /** private networks that outbound requests may reach */
  readonly allowCidr?: readonly string[]
  /** what this process does; everything unless said otherwise */
  readonly roles?: readonly Role[]
  /** the folder that the console was built into; default that of @sluice/console */
  readonly console?: string
  /** ms since 1970, for tests */
  readonly clock?: () => number
}

export type Database = {
  readonly url: string
  /** of the server itself, where `url` is a pooler's */
  readonly directUrl?: string
}

/** What the command line was given; each wins over its variable. */
export type Flags = {
  readonly data?: string | undefined
  readonly host?: string | undefined
  readonly port?: string | number | undefined
  readonly databaseUrl?: string | undefined
  readonly publicUrl?: string | undefined
  readonly trustProxy?: readonly string[] | undefined
  readonly corsOrigin?: readonly string[] | undefined
  readonly logLevel?: string | undefined
  readonly roles?: string | undefined
  readonly integrations?: string | undefined
  readonly allowCidr?: readonly string[] | undefined
}

/** Every fault of a configuration at once, each saying what to do. */
export class ConfigError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** The environment, with the `.env` of the working folder below it. */
export function readEnvironment(): Environment {
  const file = resolve('.env')
  return existsSync(file) ? { ...parseEnv(readFileSync(file, 'utf8')), ...process.env } : process.env
}

/** Where the embedded store lives unless something else is said. */
export const defaultData = './.sluice'

/**
 * The options of a hub from flags, environment and defaults, in this order. Makes the secret key where there is none.
 *
 * @throws ConfigError naming every fault
 * @example const options = readConfig(readEnvironment(), { port: 9000 })
 */
export function readConfig(env: Environment, flags: Flags = {}): HubOptions {
  const faults: string[] = []
  const options = {
    data: resolve(flags.data ?? env['SLUICE_DATA'] ?? defaultData),
    host: flags.host ?? env['SLUICE_HOST'] ?? '127.0.0.1',
    port: toPort(String(flags.port ?? env['SLUICE_PORT'] ?? 8000), faults),
    logLevel: toLogLevel(flags.logLevel ?? env['SLUICE_LOG_LEVEL'] ?? 'info', faults),
    trustProxy: toRanges(flags.trustProxy ?? toList(env['SLUICE_TRUST_PROXY']), faults),
    corsOrigins: toOrigins(flags.corsOrigin ?? toList(env['SLUICE_CORS_ORIGIN']), faults),
    allowCidr: toNetworks(flags.allowCidr ?? toList(env['SLUICE_ALLOW_CIDR']), faults),
    ...toIntegrations(flags.integrations ?? env['SLUICE_INTEGRATIONS'], faults),
    roles: toRoles(flags.roles ?? env['SLUICE_ROLES'] ?? roles.join(','), faults),
    ...toPublicUrl(flags.publicUrl ?? env['SLUICE_PUBLIC_URL'], faults),
  }
  const database = toDatabase(flags.databaseUrl ?? env['DATABASE_URL'], env['DATABASE_DIRECT_URL'], faults)
  const given = toSecretKeys(env['SLUICE_SECRET_KEY'], faults)
  if (database && given.length === 0 && !env['SLUICE_SECRET_KEY']) {
    faults.push(
      'SLUICE_SECRET_KEY is missing: with a database all nodes must have the same one; make it with openssl rand -hex 32',
    )
  }
  if (faults.length > 0) throw new ConfigError(faults)
  const secretKeys = given.length > 0 ? given : [keepSecretKey(options.data)]
  return { ...options, ...(database && { database }), secretKeys }
}

export type Place = {
  readonly data: string
  readonly database?: Database
  readonly secretKeys: readonly Uint8Array[]
  /** no hub has this secret key: nothing may be sealed with it */
  readonly isMakeshift: boolean
}

/** The store of a command that works beside the hub. @throws ConfigError */
export function readPlace(
  env: Environment,
  { data, databaseUrl }: { data: string; databaseUrl?: string | undefined },
): Place {
  const faults: string[] = []
  const database = toDatabase(databaseUrl, env['DATABASE_DIRECT_URL'], faults)
  const given = toSecretKeys(env['SLUICE_SECRET_KEY'], faults)
  if (faults.length > 0) throw new ConfigError(faults)
  // Without one a command on a database can do what needs no secret of the hub's.
  const own = (): Uint8Array => (database ? randomBytes(secretBytes) : keepSecretKey(data))
  const isMakeshift = given.length === 0 && database !== undefined
  return { data, ...(database && { database }), secretKeys: given.length > 0 ? given : [own()], isMakeshift }
}

function toDatabase(url: string | undefined, directUrl: string | undefined, faults: string[]): Database | undefined {
  if (!url) return undefined
  if (!isPostgresUrl(url))
    faults.push('--database-url (DATABASE_URL) must be an address as postgres://user@host:5432/database')
  if (directUrl && !isPostgresUrl(directUrl))
    faults.push('DATABASE_DIRECT_URL must be an address as postgres://user@host:5432/database')
  return { url, ...(directUrl && { directUrl }) }
}

/** The address may hold a password: it never appears in a message. */
const isPostgresUrl = (url: string): boolean => /^postgres(ql)?:$/.test(URL.parse(url)?.protocol ?? '')

const toList = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

function toPort(text: string, faults: string[]): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  faults.push(`--port (SLUICE_PORT) is "${text}"; it must be a number from 0 to 65535`)
  return 0
}

function toIntegrations(folder: string | undefined, faults: string[]): { integrations?: string } {
  if (folder === undefined || folder === '') return {}
  if (!existsSync(folder)) faults.push(`--integrations (SLUICE_INTEGRATIONS) is "${folder}", which does not exist`)
  return { integrations: resolve(folder) }
}

function toNetworks(cidrs: readonly string[], faults: string[]): readonly string[] {
  for (const cidr of cidrs) {
    const fault = findNetworkFault(cidr)
    if (fault !== undefined) faults.push(`--allow-cidr (SLUICE_ALLOW_CIDR): ${fault}`)
  }
  return cidrs
}

const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']

function toLogLevel(level: string, faults: string[]): string {
  if (!logLevels.includes(level))
    faults.push(`--log-level (SLUICE_LOG_LEVEL) is "${level}"; it must be one of ${logLevels.join(', ')}`)
  return level
}

function toRanges(ranges: readonly string[], faults: string[]): readonly string[] {
  for (const range of ranges) {
    const [address = '', prefix = '0', ...rest] = range.split('/')
    const family = isIP(address)
    const bits = family === 6 ? 128 : 32
    if (family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits) continue
    faults.push(`--trust-proxy (SLUICE_TRUST_PROXY) is "${range}"; it must be an address range, as 10.0.0.0/8`)
  }
  return ranges
}

function toOrigins(origins: readonly string[], faults: string[]): readonly string[] {
  return origins.map((origin) => {
    if (origin === '*') return origin
    const url = URL.parse(origin)
    if (url && /^https?:$/.test(url.protocol)) return url.origin
    faults.push(`--cors-origin (SLUICE_CORS_ORIGIN) is "${origin}"; it must be an origin, as https://app.example`)
    return origin
  })
}

const roles = ['http', 'deliver', 'schedule'] as const

function toRoles(text: string, faults: string[]): readonly Role[] {
  const wanted = toList(text)
  const unknown = wanted.filter((role) => !roles.some((known) => known === role))
  if (unknown.length > 0 || wanted.length === 0)
    faults.push(`--roles (SLUICE_ROLES) is "${text}"; it must be a list of ${roles.join(', ')}`)
  return roles.filter((role) => wanted.includes(role))
}

function toPublicUrl(text: string | undefined, faults: string[]): { publicUrl?: string } {
  if (!text) return {}
  const url = URL.parse(text)
  if (url && /^https?:$/.test(url.protocol)) return { publicUrl: text.replace(/\/+$/, '') }
  faults.push(`--public-url (SLUICE_PUBLIC_URL) is "${text}"; it must be an address, as https://events.example`)
  return {}
}

const secretBytes = 32

/** A list while a key is being rotated, the new one first. The values themselves never appear in a message. */
function toSecretKeys(text: string | undefined, faults: string[]): Uint8Array[] {
  return toList(text).map((part, index) => {
    const key = Buffer.from(part, /^([0-9a-f]{2})+$/i.test(part) ? 'hex' : 'base64')
    if (key.length < secretBytes || !/^[\w+/=-]+$/.test(part)) {
      faults.push(
        `SLUICE_SECRET_KEY: entry ${index + 1} must be at least ${secretBytes} random bytes in hex or base64, as openssl rand -hex 32 prints`,
      )
    }
    return key
  })
}

/** The key in the data folder, made at the first start. Without it cursors and tickets of before are refused. */
function keepSecretKey(data: string): Uint8Array {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const file = join(data, 'secret.key')
  if (!existsSync(file)) writeSecretKey(file)
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
  if (key.length < secretBytes)
    throw new ConfigError([
      `${file} holds no key of ${secretBytes} bytes in base64; restore it, or remove it to make a new one`,
    ])
  return key
}

function writeSecretKey(file: string): void {
  try {
    writeFileSync(file, `${randomBytes(secretBytes).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    // Somebody else has just made it.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
