import { SourceOutcome } from '@sluice/protocol'
import type { SourceFailureRow } from '../../store/sources.ts'
import type { Store } from '../../store/store.ts'

/** Whose requests they are. */
type SourceId = { readonly workspaceId: number; readonly id: string }

/** What becomes of webhooks: counted in memory, and written down together, so that a webhook costs one commit and not two. */
export type SourceNotes = {
  readonly count: (source: SourceId, outcome: SourceOutcome) => void
  readonly fail: (source: SourceId, failure: SourceFailureRow) => void
  /** False when enough failures have been looked into, of all sources: whoever sends rubbish must not keep the hub busy. */
  readonly mayExplain: () => boolean
  /** Signatures refused one after the other, this one included; 0 begins anew. */
  readonly countRefusals: (source: SourceId, refused: boolean) => number
  /** What this process has seen, over all sources. */
  readonly totals: ReadonlyMap<SourceOutcome, number>
  /** Writes down what has come together. */
  readonly flush: () => Promise<void>
  readonly close: () => Promise<void>
}

const hourMs = 3_600_000
const flushMs = 5000
/** Of one source between two writings. */
const failuresMax = 20
/** Of all sources between two writings. It takes up to 40 ms of this thread to look into one. */
const explainedMax = 10

type Pending = {
  readonly source: SourceId
  readonly counts: Map<string, { readonly hourMs: number; readonly outcome: SourceOutcome; count: number }>
  readonly failures: SourceFailureRow[]
}

/** @param onError told of what could not be written; it is tried again with the next */
export function createSourceNotes(
  store: Pick<Store, 'sources' | 'nowMs'>,
  onError: (error: unknown) => void,
): SourceNotes {
  const pending = new Map<string, Pending>()
  const totals = new Map<SourceOutcome, number>(SourceOutcome.options.map((outcome) => [outcome, 0]))
  let timer: NodeJS.Timeout | undefined
  let explained = 0
  let flushing: Promise<void> = Promise.resolve()
  const pendingOf = (source: SourceId): Pending => {
    const known = pending.get(source.id) ?? { source, counts: new Map(), failures: [] }
    pending.set(source.id, known)
    timer ??= setTimeout(() => void flush(), flushMs).unref()
    return known
  }
  const add = (source: SourceId, outcome: SourceOutcome, at: number, n: number): void => {
    const { counts } = pendingOf(source)
    const counted = counts.get(`${at} ${outcome}`)
    if (counted) counted.count += n
    else counts.set(`${at} ${outcome}`, { hourMs: at, outcome, count: n })
  }
  const writeAll = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    explained = 0
    const taken = [...pending.values()]
    pending.clear()
    for (const [workspaceId, of] of Map.groupBy(taken, ({ source }) => source.workspaceId)) {
      try {
        await store.sources.note(workspaceId, toRows(of))
      } catch (error) {
        onError(error)
        for (const { source, counts } of of)
          for (const { hourMs: at, outcome, count } of counts.values()) add(source, outcome, at, count)
      }
    }
  }
  const flush = (): Promise<void> => (flushing = flushing.then(writeAll))
  return {
    count: (source, outcome) => {
      totals.set(outcome, (totals.get(outcome) ?? 0) + 1)
      add(source, outcome, Math.floor(store.nowMs() / hourMs) * hourMs, 1)
    },
    fail: (source, failure) => {
      const { failures } = pendingOf(source)
      if (failures.length < failuresMax) failures.push(failure)
    },
    mayExplain: () => (explained += 1) <= explainedMax,
    countRefusals: createRefusals(),
    totals,
    flush,
    close: async () => {
      await flush()
      clearTimeout(timer)
    },
  }
}

function createRefusals(): SourceNotes['countRefusals'] {
  const refusals = new Map<string, number>()
  return ({ id }, refused) => {
    const count = refused ? (refusals.get(id) ?? 0) + 1 : 0
    if (refused) refusals.set(id, count)
    else refusals.delete(id)
    return count
  }
}

function toRows(of: readonly Pending[]): Parameters<Store['sources']['note']>[1] {
  return {
    counts: of.flatMap(({ source, counts }) => [...counts.values()].map((counted) => ({ ...counted, id: source.id }))),
    failures: of.flatMap(({ source, failures }) => failures.map((failure) => ({ ...failure, id: source.id }))),
  }
}
