import { readFileSync } from 'node:fs'
import { InvalidArgumentError, type Command } from 'commander'
import { usage } from './exit.ts'

export type JsonOption = { readonly json?: boolean }
export type HubOptions = JsonOption & { readonly url?: string; readonly key?: string }

/** Adds `--json`, which every command has. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON on stdout and nothing else')
}

/** For commands that talk to a running hub. */
export function withHub(command: Command): Command {
  return withJson(command)
    .option('--url <url>', 'the hub (SLUICE_URL; default http://127.0.0.1:8000)')
    .option('--key <key>', 'API key (SLUICE_API_KEY)')
}

/** For lists that come in pages. */
export function withPages(command: Command): Command {
  return command
    .option('--limit <n>', 'at most so many, 1 to 200', wholeNumber(1, 200))
    .option('--cursor <cursor>', 'the page that begins here: next_cursor of the page before')
}

export type PageOptions = { readonly limit?: number; readonly cursor?: string }

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
}

/** Collects an option that may be given several times. */
export function several(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

/** A time that is past, as people write it: ISO 8601, or how long ago, as `45s`, `90m`, `12h`, `30d`. */
export function toPastTime(text: string): string {
  return toTime(text, -1, 'a span for so long ago, as 1h')
}

/** A time to come: ISO 8601, or how long from now. */
export function toFutureTime(text: string): string {
  return toTime(text, 1, 'a span from now, as 30d')
}

/** A past time where other words may stand, too: those are the hub's to judge. */
export function toPlaceInTime(text: string): string {
  return spanPattern.test(text) ? toPastTime(text) : text
}

const spanPattern = /^(\d{1,6})([smhd])$/
const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function toTime(text: string, direction: 1 | -1, span: string): string {
  const [, count, unit = ''] = spanPattern.exec(text) ?? []
  const spanMs = Number(count) * (unitMs[unit] ?? Number.NaN)
  // Date.parse alone takes almost anything for a time, 90 for the year 1990.
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Date.now() + direction * spanMs
  if (Number.isNaN(ms)) throw new InvalidArgumentError(`It must be a time, as 2026-12-31T23:59:59Z, or ${span}.`)
  return new Date(ms).toISOString()
}

/** A JSON object given as it is, as `@FILE`, or as `-` for stdin. */
export function readJsonObject(text: string, name: string): Record<string, unknown> {
  const source = text === '-' ? 'stdin' : text.startsWith('@') ? text.slice(1) : undefined
  const json = source === undefined ? text : readText(source)
  const value = parseJson(json, `${name}${source === undefined ? '' : ` (${source})`}`)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown> // just checked
  throw usage(`${name} must be a JSON object`)
}

/** A secret given as it is, as `@FILE`, or as `-` for stdin: both keep it out of the history of the shell. The last line break is no part of it. */
export function readSecret(option: string, text: string): string {
  const source = text === '-' ? 'stdin' : text.startsWith('@') ? text.slice(1) : undefined
  const secret = source === undefined ? text : readText(source).replace(/\r?\n$/, '')
  if (secret === '') throw usage(`${option} must not be empty`)
  return secret
}

function readText(source: string): string {
  try {
    return readFileSync(source === 'stdin' ? 0 : source, 'utf8')
  } catch (cause) {
    throw usage(`cannot read ${source}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw usage(`${name} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

/** `type:id`; only the first colon counts. */
export function toPair(text: string): { type: string; id: string } {
  const colon = text.indexOf(':')
  if (colon < 1 || colon === text.length - 1) throw new InvalidArgumentError('It must be TYPE:ID.')
  return { type: text.slice(0, colon), id: text.slice(colon + 1) }
}

/** JSON as it was given, or from a file: `@FILE`. */
export function readJson(option: string, text: string): unknown {
  return parseJson(text.startsWith('@') ? readText(text.slice(1)) : text, option)
}
