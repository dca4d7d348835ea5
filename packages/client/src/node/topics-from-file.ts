import { readFile, type FileHandle } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml'
import type { TopicDefinitions } from '../topics/definition.ts'
import { TopicsError, type TopicFault } from '../topics/error.ts'
import { toTopics, type Topics } from '../topics/topics.ts'

/** A path, an open file, or anything that is read piece by piece, as stdin. What is open stays open. */
export type TopicSource = string | URL | FileHandle | AsyncIterable<string | Uint8Array>

/**
 * Topics from a definition file: YAML, or JSON, which is YAML too.
 *
 * `Definitions` is what TypeScript shall take the file for; `sluice types generate FILE` writes it.
 *
 * @throws TopicsError with everything that is wrong, by topic and line; what reading throws
 * @example const topics = await topicsFromFile('topics.yaml')
 */
export async function topicsFromFile<Definitions extends TopicDefinitions = TopicDefinitions>(
  source: TopicSource,
): Promise<Topics<Definitions>> {
  return parseTopicFile<Definitions>(await read(source), toName(source))
}

/**
 * The same from text that was read already.
 *
 * @param name of the file, for messages
 */
export function parseTopicFile<Definitions extends TopicDefinitions = TopicDefinitions>(
  text: string,
  name: string,
): Topics<Definitions> {
  const lines = new LineCounter()
  // Merge keys are YAML 1.1, which is what these files were first written for. Nothing in a file can make code run.
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false })
  const lineAt = (offset: number): number => lines.linePos(offset).line
  const faults = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
    topic: '',
    pointer: '',
    detail: message,
    line: lineAt(pos[0]),
  }))
  if (faults.length > 0) throw new TopicsError(name, faults)
  try {
    return toTopics<Definitions>(toValue(document, name), name)
  } catch (error) {
    if (!(error instanceof TopicsError) || error.cause) throw error
    const withLines = error.faults.map((fault) => ({ ...fault, line: lineAt(toOffset(document, fault.pointer)) }))
    throw new TopicsError(name, withLines)
  }
}

function toValue(document: Document, name: string): unknown {
  try {
    // References that multiply are counted, and refused beyond a hundred.
    return document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    const fault: TopicFault = { topic: '', pointer: '', detail: cause instanceof Error ? cause.message : String(cause) }
    throw new TopicsError(name, [fault], { cause })
  }
}

/** Where in the text a pointer leads, or where the way to it ends. */
function toOffset(document: Document, pointer: string): number {
  let node: unknown = document.contents
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (isAlias(node)) node = node.resolve(document)
    const next = isMap(node)
      ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key)
      : isSeq(node)
        ? { key: node.items[Number(key)], value: node.items[Number(key)] }
        : undefined
    if (!next) return offset
    if (isNode(next.key)) offset = next.key.range?.[0] ?? offset
    node = next.value
  }
  return offset
}

async function read(source: TopicSource): Promise<string> {
  if (typeof source === 'string' || source instanceof URL) return readFile(source, 'utf8')
  if ('readFile' in source) return source.readFile('utf8')
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(typeof piece === 'string' ? Buffer.from(piece) : piece)
  return Buffer.concat(pieces).toString()
}

function toName(source: TopicSource): string {
  if (typeof source === 'string') return source
  return source instanceof URL ? fileURLToPath(source) : 'the topic file'
}
