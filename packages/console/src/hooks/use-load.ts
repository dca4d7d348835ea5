import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { isAbort, toFailure, type Failure } from '../hub.ts'

/** What was loaded stays while it is loaded again, so that nothing jumps. */
export type Loaded<Value> = {
  readonly value: Value | undefined
  readonly failure: Failure | undefined
  readonly isLoading: boolean
  readonly reload: () => void
  /** Shows this from now on: the answer of a change is as good as loading again. */
  readonly set: (value: Value) => void
}

/** @param name of what is loaded: another one lets go of what was there */
export function useLoad<Value>(name: string, load: (signal: AbortSignal) => Promise<Value>): Loaded<Value> {
  type State = { name: string; value: Value | undefined; failure: Failure | undefined; isLoading: boolean }
  const [state, setState] = useState<State>({ name, value: undefined, failure: undefined, isLoading: true })
  const [round, setRound] = useState(0)
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    const stop = new AbortController()
    setState((before) =>
      before.name === name
        ? { ...before, isLoading: true }
        : { name, value: undefined, failure: undefined, isLoading: true },
    )
    latest.current(stop.signal).then(
      (value) => !stop.signal.aborted && setState({ name, value, failure: undefined, isLoading: false }),
      (error: unknown) => {
        if (stop.signal.aborted || isAbort(error)) return
        setState((before) => ({ ...before, failure: toFailure(error), isLoading: false }))
      },
    )
    return () => stop.abort()
  }, [name, round])
  const reload = useCallback(() => setRound((count) => count + 1), [])
  const set = useCallback((value: Value) => setState({ name, value, failure: undefined, isLoading: false }), [name])
  const isCurrent = state.name === name
  return {
    value: isCurrent ? state.value : undefined,
    failure: isCurrent ? state.failure : undefined,
    isLoading: !isCurrent || state.isLoading,
    reload,
    set,
  }
}
