import { bug, ConnectorError, toMessage } from './error.ts'
import { isPlainObject, type SourceRow } from './nested.ts'

/** What a destination keeps for a connector, as one text. */
export type SyncState = {
  /** the connector's own */
  readonly state: SourceRow
  /** when the last sync began: the next one begins later, whatever the clock says */
  readonly syncedAt: string | undefined
  /** full refreshes that are not complete yet: by table, when they began */
  readonly generations: Readonly<Record<string, string>>
  /** tables that were made of lists, by the table that the lists were in */
  readonly children: Readonly<Record<string, readonly string[]>>
}

const emptyState: SyncState = { state: {}, syncedAt: undefined, generations: {}, children: {} }

/** 10 MB, as text. */
const maxStateBytes = 10 * 1024 * 1024

/** @throws ConnectorError if the text is none of ours */
export function parseState(text: string | undefined): SyncState {
  if (text === undefined) return emptyState
  try {
    const { state, synced_at: syncedAt, generations, children } = JSON.parse(text) as Record<string, never> // printState wrote it
    if (!isPlainObject(state)) throw new TypeError('it has no state')
    return { state, syncedAt, generations: generations ?? {}, children: children ?? {} }
  } catch (cause) {
    const message = `the state at the destination cannot be read: ${toMessage(cause)}`
    throw new ConnectorError('destination', message, { cause })
  }
}

export function printState({ state, syncedAt, generations, children }: SyncState): string {
  return JSON.stringify({ state, synced_at: syncedAt, generations, children })
}

/**
 * Checks what a connector checkpoints: an object of JSON, at most 10 MB, without the secrets of its configuration.
 *
 * @returns a copy, as it will come back
 * @throws ConnectorError that says what is wrong
 */
export function checkState(state: unknown, secrets: readonly string[]): SourceRow {
  if (!isPlainObject(state)) throw bug('checkpoint takes the state, a JSON object')
  let text: string
  try {
    text = JSON.stringify(state)
  } catch (cause) {
    throw bug(`the state is no JSON: ${toMessage(cause)}`, cause)
  }
  const bytes = Buffer.byteLength(text)
  if (bytes > maxStateBytes)
    throw bug(`the state has ${bytes} bytes; ${maxStateBytes} are the limit: keep places in it, and no rows`)
  if (secrets.some((secret) => text.includes(JSON.stringify(secret).slice(1, -1))))
    throw bug('the state holds a secret of the configuration; states are kept in the open')
  return JSON.parse(text) as SourceRow // an object was printed
}
