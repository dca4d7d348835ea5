import type { Session } from '@sluice/client/admin'
import { useEffect, useState } from 'preact/hooks'
import { go, here } from './address.ts'
import { hub, isAbort, toFailure, whenSignedOut, type Failure } from './hub.ts'
import { Shell } from './shell.tsx'
import { SessionContext } from './session.ts'
import { SignIn } from './sign-in.tsx'
import { Broken } from './ui/states.tsx'

type State =
  | { readonly kind: 'asking' }
  | { readonly kind: 'out'; readonly notice: string | undefined }
  | { readonly kind: 'in'; readonly session: Session }
  | { readonly kind: 'broken'; readonly failure: Failure }

/** Somebody is signed in, or is asked to. */
export function App() {
  const [state, setState] = useState<State>({ kind: 'asking' })
  const ask = (): void => {
    hub.getSession().then(
      (session) => setState({ kind: 'in', session }),
      (error: unknown) => {
        if (!isAbort(error))
          setState((now) => (now.kind === 'out' ? now : { kind: 'broken', failure: toFailure(error) }))
      },
    )
  }
  useEffect(() => {
    whenSignedOut(() =>
      setState((now) => ({
        kind: 'out',
        notice: now.kind === 'in' ? 'Your session has ended. Sign in again.' : undefined,
      })),
    )
    // A sign-in link is tried before anything else, and does not stay in the address.
    const link = /^#(sll_.+)$/.exec(location.hash)?.[1]
    if (link) setState({ kind: 'out', notice: undefined })
    else ask()
  }, [])
  if (state.kind === 'asking') return null
  if (state.kind === 'broken') return <Broken failure={state.failure} retry={ask} />
  const signedIn = (session: Session): void => {
    setState({ kind: 'in', session })
    go(here().path, here().query, true)
  }
  if (state.kind === 'out') return <SignIn notice={state.notice} onSignedIn={signedIn} />
  return (
    <SessionContext.Provider value={state.session}>
      <Shell />
    </SessionContext.Provider>
  )
}
