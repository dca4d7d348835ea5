import { refreshDueMs, type TokenSet } from '@sluice/sdk/auth'
import type { ConnectionRow, NewConnection } from '../../store/connections.ts'
import type { Sealing } from '../sealing.ts'
import type { Fields } from './methods.ts'

const connectionPlace = (id: string): string => `connection/${id}`

/** What a connection with tokens holds: they, and what a person has filled in. */
export type Granted = { readonly tokens: TokenSet; readonly fields: Fields }

export type Timing = {
  /** between 0 and 1 */
  readonly random: number
  /** whether it takes a refresh token to get others */
  readonly usesUp: boolean
}

/**
 * When tokens end, and when to ask for others: spread, so that connections which were made together do not ask together. Those that
 * cannot be refreshed are good to their end, and it is noticed then.
 */
export function toTimes(tokens: TokenSet, { random, usesUp }: Timing): Pick<NewConnection, 'expiresMs' | 'refreshMs'> {
  const { expires_at: endMs, refresh_token: refreshToken } = tokens
  const dueMs = refreshDueMs(tokens)
  if (endMs === undefined || dueMs === undefined) return { expiresMs: null, refreshMs: null }
  const expiresMs = Math.round(endMs)
  if (usesUp && refreshToken === undefined) return { expiresMs, refreshMs: expiresMs }
  return { expiresMs, refreshMs: Math.round(dueMs - ((endMs - dueMs) / 10) * random) }
}

type Held = Pick<ConnectionRow, 'id' | 'key' | 'sealed'>

/** @throws Error if it was sealed with a secret key that this hub does not have; its message is for the log */
export function openSealed(sealing: Sealing, { id, key, sealed }: Held): Record<string, unknown> {
  const text = sealed === null ? '{}' : sealing.open(connectionPlace(id), sealed)
  if (text !== undefined) return JSON.parse(text)
  throw new Error(
    `connection "${key}" was sealed with another secret key; add that one to SLUICE_SECRET_KEY, or connect again`,
  )
}

/** As it was sealed for a method with tokens. @throws Error as `openSealed` */
export const openGranted = (sealing: Sealing, held: Held): Granted => openSealed(sealing, held) as Granted

export const sealSecret = (sealing: Sealing, id: string, secret: object): string =>
  sealing.seal(connectionPlace(id), JSON.stringify(secret))
