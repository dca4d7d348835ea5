import type { Session } from '@sluice/client/admin'
import { useEffect, useRef, useState } from 'preact/hooks'
import { signIn, toFailure, type Failure } from './hub.ts'
import { rememberKey } from './session.ts'
import { Mark } from './ui/mark.tsx'

type Props = { readonly notice: string | undefined; readonly onSignedIn: (session: Session) => void }

export function SignIn({ notice, onSignedIn }: Props) {
  const [failure, setFailure] = useState<Failure>()
  const [isBusy, setIsBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const enter = (secret: string): void => {
    setIsBusy(true)
    setFailure(undefined)
    signIn(secret).then(
      (session) => {
        rememberKey(secret.startsWith('slk_') ? secret : undefined)
        onSignedIn(session)
      },
      (error: unknown) => {
        setIsBusy(false)
        setFailure(toFailure(error))
        field.current?.focus()
      },
    )
  }
  useEffect(() => {
    document.title = 'Sign in · Sluice'
    const link = /^#(sll_.+)$/.exec(location.hash)?.[1]
    if (link === undefined) return
    history.replaceState(null, '', location.pathname + location.search)
    enter(link)
  }, [])
  return (
    <main class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault()
          enter(field.current?.value.trim() ?? '')
        }}
      >
        <Mark />
        <h1>Sign in to Sluice</h1>
        {notice && !failure && <p class="notice">{notice}</p>}
        <label for="key">API key</label>
        <input
          id="key"
          ref={field}
          type="password"
          name="key"
          placeholder="slk_…"
          autocomplete="current-password"
          spellcheck={false}
          autofocus
          required
          aria-describedby="key-help"
          aria-invalid={failure !== undefined}
        />
        <p class="field-fault" role="alert">
          {failure && `${failure.title}. ${failure.detail}`}
        </p>
        <button type="submit" class="primary wide" disabled={isBusy}>
          {isBusy ? 'Signing in…' : 'Sign in'}
        </button>
        <p id="key-help" class="soft small">
          The first start of a hub shows an admin key. Later, <code>sluice keys create --user-id you</code> makes one.
        </p>
      </form>
    </main>
  )
}
