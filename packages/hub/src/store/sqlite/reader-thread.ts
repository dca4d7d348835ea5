import { parentPort, workerData } from 'node:worker_threads'
import { explainEvent } from '../inbox-rules/explain.ts'
import { readProgress } from '../inbox-rules/progress.ts'
import type { Identified, IdentitySearch, InboxProgress, Search, SearchResult, VerdictRow } from '../store.ts'
import type { MatchOrder, MatchResult } from '../match-events.ts'
import { openDatabase, type Database } from './database.ts'
import { findIdentified } from './erasure.ts'
import { createRows } from './rows.ts'
import { matchEvents } from './match-events.ts'
import { searchEvents } from './search.ts'
import { readInbox, readInboxes } from './writer-state.ts'

/** Reads whose cost depends on how much there is: in a thread of their own, so that no request waits behind them. */
const verbs = {
  searchEvents: (db: Database, workspaceId: number, search: Search): SearchResult =>
    searchEvents(db, workspaceId, search),
  matchEvents: (db: Database, workspaceId: number, order: MatchOrder): MatchResult =>
    matchEvents(db, workspaceId, order),
  findIdentified: (db: Database, workspaceId: number, search: IdentitySearch): Identified =>
    findIdentified(db, workspaceId, search),
  explainEvent: (db: Database, workspaceId: number, position: number, nowMs: number): Promise<VerdictRow[]> =>
    explainEvent({ rows, nowMs }, workspaceId, readInboxes(db, workspaceId, '', 100_000), position),
  readProgress: async (
    db: Database,
    workspaceId: number,
    key: string,
    nowMs: number,
  ): Promise<InboxProgress | undefined> => {
    const inbox = readInbox(db, workspaceId, key)
    return inbox && readProgress({ rows, nowMs }, inbox)
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
const rows = createRows(db)

async function answer({ id, verb, args }: Extract<ToReader, { id: number }>): Promise<FromReader> {
  try {
    const run = verbs[verb] as (db: Database, ...args: readonly unknown[]) => unknown // the facade types each call
    return { id, value: await run(db, ...args) }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

parentPort?.on('message', (message: ToReader) => {
  if ('close' in message) {
    db.raw.close()
    return parentPort?.close()
  }
  // The rows of this store answer at once: a verb is through before the next message.
  void answer(message).then((reply) => parentPort?.postMessage(reply))
})
