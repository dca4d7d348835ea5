import { parentPort, workerData } from 'node:worker_threads'
import type { InboxProgress, Search, SearchResult, VerdictRow } from '../store.ts'
import { openDatabase, type Database } from './database.ts'
import { readInbox } from './writer-state.ts'
import { explainEvent } from './explain.ts'
import { readProgress } from './progress.ts'
import { searchEvents } from './search.ts'

/** Reads whose cost depends on how much there is: in a thread of their own, so that no request waits behind them. */
const verbs = {
  searchEvents: (db: Database, workspaceId: number, search: Search): SearchResult =>
    searchEvents(db, workspaceId, search),
  explainEvent: (db: Database, workspaceId: number, position: number, nowMs: number): VerdictRow[] =>
    explainEvent(db, workspaceId, position, nowMs),
  readProgress: (db: Database, workspaceId: number, key: string, nowMs: number): InboxProgress | undefined => {
    const inbox = readInbox(db, workspaceId, key)
    return inbox && readProgress(db, inbox, nowMs)
  },
}

export type ReaderVerbs = typeof verbs
export type ReaderVerb = keyof ReaderVerbs
export type ReaderArguments<Name extends ReaderVerb> = ReaderVerbs[Name] extends (
  db: Database,
  ...args: infer Arguments
) => unknown
  ? Arguments
  : never

export type ToReader =
  | { readonly id: number; readonly verb: ReaderVerb; readonly args: readonly unknown[] }
  | { readonly close: true }
export type FromReader = { readonly id: number; readonly value?: unknown; readonly error?: string }

const db = openDatabase(workerData as string, 'reader')
parentPort?.on('message', (message: ToReader) => {
  if ('close' in message) {
    db.raw.close()
    return parentPort?.close()
  }
  try {
    const run = verbs[message.verb] as (db: Database, ...args: readonly unknown[]) => unknown // the facade types each call
    parentPort?.postMessage({ id: message.id, value: run(db, ...message.args) } satisfies FromReader)
  } catch (error) {
    parentPort?.postMessage({
      id: message.id,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    } satisfies FromReader)
  }
})
