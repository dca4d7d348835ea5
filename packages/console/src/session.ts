import type { Session } from '@sluice/client/admin'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'

export type Permission = 'publish' | 'read' | 'inbox' | 'inbox-read' | 'event-types' | 'act' | 'admin' | 'instance'

/** Who is signed in. The hub decides what is allowed; the console only leaves out what would be refused. */
export const SessionContext = createContext<Session | undefined>(undefined)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('this part is shown to those who are signed in')
  return session
}

export function useMay(permission: Permission): boolean {
  return useSession().permissions.includes(permission)
}

/** The key that somebody typed to sign in, while this page lives: the first steps can be copied with it. Kept nowhere else. */
let shownKey: string | undefined

export const rememberKey = (key: string | undefined): void => void (shownKey = key)
export const rememberedKey = (): string | undefined => shownKey
