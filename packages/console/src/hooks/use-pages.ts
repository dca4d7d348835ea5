import type { Pagination } from '@sluice/client/admin'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { isAbort, toFailure, type Failure } from '../hub.ts'

export type Page<Item> = {
  readonly items: readonly Item[]
  readonly pagination: Pagination
  readonly searchedTo?: string | null
}

/** A list that grows by a page at a time. */
export type Pages<Item> = {
  readonly items: readonly Item[]
  /** no page has come yet */
  readonly isFirst: boolean
  readonly isLoading: boolean
  readonly hasMore: boolean
  /** a bounded search came back to this time, and found less than a page */
  readonly searchedTo: string | null
  readonly failure: Failure | undefined
  readonly more: () => void
  readonly reload: () => void
}

type State<Item> = Omit<Pages<Item>, 'more' | 'reload'>

const empty = { items: [], isFirst: true, isLoading: true, hasMore: false, searchedTo: null, failure: undefined }

/** @param name of the list with its filters: another one begins anew */
export function usePages<Item>(
  name: string,
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Item>>,
): Pages<Item> {
  const [state, setState] = useState<State<Item>>(empty)
  const [round, setRound] = useState(0)
  const latest = useRef({ load, stop: new AbortController(), isLoading: true, cursor: '' })
  latest.current.load = load

  const fetchPage = useCallback((cursor: string | undefined) => {
    const { stop } = latest.current
    latest.current.isLoading = true
    setState((before) => ({ ...before, isLoading: true }))
    latest.current.load(cursor, stop.signal).then(
      ({ items, pagination, searchedTo = null }) => {
        if (stop.signal.aborted) return
        Object.assign(latest.current, { isLoading: false, cursor: pagination.next_cursor ?? '' })
        setState((before) => ({
          ...empty,
          items: cursor === undefined ? items : [...before.items, ...items],
          isFirst: false,
          isLoading: false,
          hasMore: pagination.has_more,
          searchedTo,
        }))
      },
      (error: unknown) => {
        if (stop.signal.aborted || isAbort(error)) return
        latest.current.isLoading = false
        setState((before) => ({ ...before, isLoading: false, isFirst: false, failure: toFailure(error) }))
      },
    )
  }, [])

  useEffect(() => {
    const stop = new AbortController()
    Object.assign(latest.current, { stop, cursor: '' })
    if (round === 0) setState(empty)
    fetchPage(undefined)
    return () => stop.abort()
  }, [name, round])

  const more = useCallback(() => {
    if (!latest.current.isLoading && latest.current.cursor !== '') fetchPage(latest.current.cursor)
  }, [])
  const reload = useCallback(() => setRound((count) => count + 1), [])
  return { ...state, more, reload }
}
