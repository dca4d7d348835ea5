import { HubError, Slug } from '@sluice/protocol'
import type { ImportState, MovedRow } from '../../store/moving.ts'
import type { Store } from '../../store/store.ts'
import { createKnown, toMovedRow } from './check-row.ts'
import { checkEnd, readLines, refuse, toHeader, toMark, type End, type Line } from './lines.ts'

export type ImportOrder = {
  readonly source: AsyncIterable<Uint8Array>
  /** its key here; that of the file unless given */
  readonly workspace?: string | undefined
  /** API keys come along */
  readonly withKeys: boolean
  /** Gives up an import of another file that was not finished. */
  readonly restart: boolean
  readonly onProgress?: ((events: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export type Imported = Omit<End, 'sha256'> & {
  readonly workspace: string
  /** chunks that an earlier run had brought in */
  readonly resumed: number
}

/**
 * Reads an export into an empty workspace, which is there only once the whole file was found in order. An import that was
 * interrupted goes on after its last chunk when the same file is imported again.
 *
 * @throws HubError `validation-error` naming the line of a file that is damaged, cut off or not an export; `conflict` if the
 * workspace is not empty, or another file was not finished there
 */
export async function importWorkspace(store: Store, order: ImportOrder): Promise<Imported> {
  const reader = readFile(order.source, store.nowMs())
  const first = await reader.next()
  if (first.done || first.value.kind !== 'header') throw refuse(1, 'is missing; the file is empty')
  const { id, workspace: named } = first.value.header
  const workspace = checkKey(order.workspace ?? named)
  const state = await openImport(store, { workspace, id, restart: order.restart })
  let events = 0
  for await (const part of reader) {
    order.signal?.throwIfAborted()
    if (part.kind === 'header') continue
    if (part.kind === 'end') {
      await store.moving.finishImport(workspace)
      return { ...part.end, workspace, resumed: state.chunks }
    }
    await takeChunk(store, { workspace, state, withKeys: order.withKeys, part })
    events += part.rows.filter(({ kind }) => kind === 'event').length
    order.onProgress?.(events)
  }
  throw new HubError('validation-error', 'the file ends before its last line; it is not whole')
}

function checkKey(key: string): string {
  if (Slug.safeParse(key).success) return key
  throw new HubError('validation-error', `"${key.slice(0, 100)}" is no key of a workspace: a-z 0-9 . _ -`)
}

type Wanted = { readonly workspace: string; readonly id: string; readonly restart: boolean }

async function openImport({ moving }: Store, { workspace, id, restart }: Wanted): Promise<ImportState> {
  const known = await moving.findImport(workspace)
  if (known?.file === id) return known
  if (known && !restart) {
    throw new HubError(
      'conflict',
      `another file was not imported to its end into workspace "${workspace}"; import that one again, or give it up with --restart`,
    )
  }
  if (known) await moving.discardImport(workspace)
  await moving.beginImport(workspace, id)
  return { file: id, chunks: 0, digest: '' }
}

type Chunk = Extract<Part, { kind: 'chunk' }>
type Taking = {
  readonly workspace: string
  readonly state: ImportState
  readonly withKeys: boolean
  readonly part: Chunk
}

async function takeChunk({ moving }: Store, { workspace, state, withKeys, part }: Taking): Promise<void> {
  const { number, sha256: digest, line } = part
  if (number === state.chunks && digest !== state.digest)
    throw refuse(line, 'is not what was imported before; give that up with --restart')
  if (number <= state.chunks) return
  const rows = withKeys ? part.rows : part.rows.filter(({ kind }) => kind !== 'api_key')
  await moving.importChunk(workspace, { number, digest, rows }).catch((cause: unknown) => {
    if (cause instanceof HubError) throw cause
    const said = cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '') : String(cause)
    throw refuse(line, `closes rows that no store holds together: ${said}`, cause)
  })
}

type Part =
  | { readonly kind: 'header'; readonly header: ReturnType<typeof toHeader> }
  | {
      readonly kind: 'chunk'
      readonly number: number
      readonly sha256: string
      /** of its mark */
      readonly line: number
      readonly rows: readonly MovedRow[]
    }
  | { readonly kind: 'end'; readonly end: Omit<End, 'sha256'> }

/** Rows that a chunk has at most: ours have a few hundred, and each is held in memory as a whole. */
const maxRows = 10_000

/** The parts of a file, each checked. Nothing may follow the end. */
async function* readFile(source: AsyncIterable<Uint8Array>, nowMs: number): AsyncGenerator<Part> {
  const known = createKnown(nowMs)
  const counts: Record<string, number> = {}
  let chunks = 0
  let total = 0
  let rows: MovedRow[] = []
  let ended: Line | undefined
  for await (const line of readLines(source)) {
    const { kind } = line.value
    if (ended) throw refuse(line.number, 'stands after the end')
    if (line.number === 1) yield { kind: 'header', header: toHeader(line) }
    else if (kind === 'chunk') {
      const { number, sha256 } = toMark(line, { number: chunks + 1, rows: rows.length })
      chunks = number
      yield { kind: 'chunk', number, sha256, line: line.number, rows }
      rows = []
    } else if (kind === 'end') {
      if (rows.length > 0) throw refuse(line.number, 'stands where rows still wait for their mark')
      if (known.head === null) throw refuse(line.number, 'ends a file without a log')
      checkEnd(line, { chunks, rows: total, counts })
      ended = line
    } else {
      const row = toMovedRow(line, known)
      counts[row.kind] = (counts[row.kind] ?? 0) + 1
      total += 1
      if (rows.push(row) > maxRows) throw refuse(line.number, `is the ${rows.length}th of its chunk; none has so many`)
    }
  }
  if (ended) yield { kind: 'end', end: { chunks, rows: total, counts } }
}
