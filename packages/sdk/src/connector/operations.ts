import { createEngine, type EngineOptions } from './engine.ts'
import { checkState } from './state.ts'
import type { SourceRow } from './nested.ts'
import type { ChangeKind } from './table-columns.ts'

/**
 * What a connector does to tables. Calls take effect in their order. Await them for back-pressure: without it, rows that wait for
 * the destination pile up in memory. The first one that fails ends the sync, awaited or not.
 */
export type Operations<Rows extends TableRows = TableRows, State = SourceRow> = {
  /** Puts a whole row: columns that it lacks become null, and a deleted row lives again. */
  upsert<Name extends keyof Rows & string>(table: Name, row: Rows[Name]): Promise<void>
  /** Changes some columns of a row; one that does not exist is passed over. @param row with all columns of the key */
  update<Name extends keyof Rows & string>(table: Name, row: Partial<Rows[Name]>): Promise<void>
  /** Marks a row as deleted; one that does not exist is passed over. @param key all columns of the key */
  delete<Name extends keyof Rows & string>(table: Name, key: Partial<Rows[Name]>): Promise<void>
  /** Marks all rows as deleted that the table has at this moment. */
  truncate(table: keyof Rows & string): Promise<void>
  /**
   * Begins a full refresh, or goes on with the one that a former sync could not finish. Rows that it does not bring stay until
   * `completeGeneration`.
   *
   * @returns whether a former sync began it: then go on where its state says
   */
  beginGeneration(table: keyof Rows & string): Promise<{ readonly isResumed: boolean }>
  /**
   * Ends a full refresh that has read everything: rows that it did not bring are marked as deleted.
   *
   * @throws ConnectorError if that would be more than `max_delete_share` of them, or all; nothing is deleted then
   */
  completeGeneration(table: keyof Rows & string): Promise<void>
  /**
   * Resolves when everything before it is safe at the destination, and the state with it: where the next sync goes on.
   *
   * @param state an object of JSON, at most 10 MB, without secrets
   */
  checkpoint(state: State): Promise<void>
}

/** Rows by the name of their table. */
export type TableRows = Readonly<Record<string, SourceRow>>

export type OperationKind = 'upserts' | 'updates' | 'deletes' | 'truncates' | 'checkpoints'

export type OperationOptions = EngineOptions & {
  readonly signal: AbortSignal
  readonly secrets: readonly string[]
  /** before an operation is carried out: its number, from 1 */
  readonly onOperation?: ((number: number, kind: OperationKind) => void) | undefined
  /** after a checkpoint is safe */
  readonly onCheckpoint?: ((state: SourceRow) => void | Promise<void>) | undefined
}

export type RunningOperations = {
  readonly op: Operations
  /** Writes and commits what is left, with the state of the last checkpoint. @throws the first failure */
  readonly finish: () => Promise<void>
  /** of the last checkpoint that is safe */
  readonly state: () => SourceRow
  /** names at the destination of all tables that were declared or used */
  readonly tables: () => readonly string[]
}

const done = Promise.resolve()

/** The operations of one sync. */
export function createOperations(options: OperationOptions): RunningOperations {
  const { tally, signal, secrets, onOperation, onCheckpoint } = options
  const engine = createEngine(options)
  const inOrder = createQueue()
  let count = 0
  const operation = (kind: OperationKind, work: () => Promise<void> | undefined): Promise<void> =>
    inOrder(() => {
      signal.throwIfAborted()
      onOperation?.((count += 1), kind)
      tally.operations[kind] += 1
      return work()
    })
  const change = (kind: ChangeKind, table: string, row: unknown): Promise<void> =>
    operation(`${kind}s`, () => engine.change(kind, table, row))
  const commit = async (state?: SourceRow): Promise<void> => {
    await engine.commit(state)
    await onCheckpoint?.(engine.state())
  }
  return {
    op: {
      upsert: (table, row) => change('upsert', table, row),
      update: (table, row) => change('update', table, row),
      delete: (table, key) => change('delete', table, key),
      truncate: (table) => operation('truncates', () => engine.truncate(table)),
      beginGeneration: async (table) => {
        let isResumed = false
        await inOrder(async () => {
          isResumed = await engine.beginGeneration(table)
        })
        return { isResumed }
      },
      completeGeneration: (table) => inOrder(() => engine.completeGeneration(table)),
      checkpoint: (state) => operation('checkpoints', () => commit(checkState(state, secrets))),
    },
    finish: () => inOrder(() => commit()),
    state: engine.state,
    tables: engine.tables,
  }
}

/** Runs one thing after the other, and at once where nothing waits. After a failure nothing more is done. */
function createQueue(): (work: () => Promise<void> | undefined) => Promise<void> {
  let last: Promise<void> | undefined
  let failure: { readonly error: unknown } | undefined
  const follow = (promise: Promise<void>): Promise<void> => {
    const mine = promise.then(
      () => {
        if (last === mine) last = undefined
      },
      (error: unknown) => fail(error),
    )
    last = mine
    // Whoever does not await it learns of the failure from the end of the sync.
    mine.catch(() => {})
    return mine
  }
  const fail = (error: unknown): never => {
    failure ??= { error }
    throw failure.error
  }
  return (work) => {
    if (failure) return Promise.reject(failure.error)
    if (last) return follow(last.then(work))
    try {
      const begun = work()
      return begun ? follow(begun) : done
    } catch (error) {
      failure ??= { error }
      return follow(Promise.reject(error))
    }
  }
}
