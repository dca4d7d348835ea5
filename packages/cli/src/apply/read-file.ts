import { readFileSync } from 'node:fs'
import { LineCounter, isNode, parseDocument, type Document } from 'yaml'
import { usage } from '../exit.ts'
import { kinds, type Kind, type Members } from './kinds.ts'

/** One thing that the file describes. */
export type Item = { readonly kind: Kind; readonly key: string; readonly wanted: Members }

type Fault = { readonly path: readonly string[]; readonly detail: string }

/**
 * What a file wants, in the order in which it is made. A text that is `${NAME}` and nothing else stands for the variable of the
 * environment: secrets need not be in the file.
 *
 * @throws CommandError that names every fault with its line
 */
export function readFile(file: string, env: Readonly<Record<string, string | undefined>>): Item[] {
  const lines = new LineCounter()
  const document = parseDocument(readText(file), { lineCounter: lines, uniqueKeys: true })
  if (document.errors.length > 0)
    throw usage(document.errors.map(({ message }) => `${file}: ${message.split('\n')[0]}`).join('\n'))
  const faults: Fault[] = []
  const items = readItems(fillIn(document.toJS(), env, faults, []), faults)
  if (faults.length > 0)
    throw usage(faults.map((fault) => `${file}:${lineOf(document, lines, fault.path)} ${toWords(fault)}`).join('\n'))
  return items
}

const toWords = ({ path, detail }: Fault): string => `${path.length === 0 ? '' : `${path.join('.')}: `}${detail}`

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (cause) {
    throw usage(`cannot read ${file}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

/** The line of the innermost node on the path that is there. */
function lineOf(document: Document, lines: LineCounter, path: readonly string[]): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return 1
}

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function fillIn(
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
  faults: Fault[],
  path: readonly string[],
): unknown {
  if (typeof value === 'string') {
    const name = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(value)?.[1]
    if (name === undefined) return value
    if (env[name] === undefined) faults.push({ path, detail: `the environment has no ${name}` })
    return env[name]
  }
  if (Array.isArray(value)) return value.map((item, index) => fillIn(item, env, faults, [...path, String(index)]))
  if (!isMembers(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, fillIn(member, env, faults, [...path, name])]),
  )
}

function readItems(content: unknown, faults: Fault[]): Item[] {
  const known = kinds.map(({ name }) => name).join(', ')
  if (!isMembers(content)) {
    faults.push({ path: [], detail: `must be an object with ${known}` })
    return []
  }
  for (const name of Object.keys(content))
    if (!kinds.some((kind) => kind.name === name)) faults.push({ path: [name], detail: `unknown; there are ${known}` })
  return kinds.flatMap((kind) => {
    const all = content[kind.name]
    if (all === undefined || all === null) return []
    if (isMembers(all)) return Object.entries(all).map(([key, wanted]) => readItem(kind, key, wanted ?? {}, faults))
    faults.push({ path: [kind.name], detail: 'must be an object that has them by key' })
    return []
  })
}

function readItem(kind: Kind, key: string, wanted: unknown, faults: Fault[]): Item {
  const path = [kind.name, key]
  for (const { message } of kind.key.safeParse(key).error?.issues ?? []) faults.push({ path, detail: message })
  for (const issue of kind.schema.safeParse(wanted).error?.issues ?? [])
    faults.push({ path: [...path, ...issue.path.map(String)], detail: issue.message })
  return { kind, key, wanted: isMembers(wanted) ? wanted : {} }
}
