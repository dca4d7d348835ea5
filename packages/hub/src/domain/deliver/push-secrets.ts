import { randomBytes } from 'node:crypto'
import { HubError, type InboxPush } from '@sluice/protocol'
import type { Door } from '../../store/doors.ts'
import type { Context } from '../context.ts'

/** What of a push nobody is shown. */
export type PushSecrets = {
  /** the newest first; `untilMs` of those that were followed by another one */
  readonly secrets: readonly { readonly secret: string; readonly untilMs: number | null }[]
  readonly headers: Readonly<Record<string, string>>
}

const maxSecrets = 10

export const createSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`

export function sealPush(
  { sealing, newId }: Pick<Context, 'sealing' | 'newId'>,
  secrets: PushSecrets,
): NonNullable<Door['sealed']> {
  const id = newId()
  return { id, text: sealing.seal(placeOf(id), JSON.stringify(secrets)) }
}

/** @throws HubError `conflict` if it was sealed with a secret key that this hub does not have */
export function openPush({ sealing }: Pick<Context, 'sealing'>, door: Door | null): PushSecrets {
  if (!door?.sealed) return { secrets: [], headers: {} }
  const { id, text } = door.sealed
  const opened = sealing.open(placeOf(id), text)
  if (opened === undefined)
    throw new HubError(
      'conflict',
      'the secrets of the push were sealed with another secret key; add that one to SLUICE_SECRET_KEY, or set the push anew',
    )
  return JSON.parse(opened) as PushSecrets // written by `sealPush`
}

const placeOf = (id: string): string => `push/${id}`

/** As the settings keep it. */
export function withoutPushSecrets(push: InboxPush): InboxPush {
  const { secret: _secret, headers: _headers, ...shown } = push
  return shown
}

/** What was not sent stays as it was. */
export function changeSecrets(
  before: PushSecrets,
  { secret, headers }: InboxPush,
): PushSecrets & { readonly made?: string } {
  const made = secret === undefined && before.secrets.length === 0 ? createSecret() : undefined
  const fresh = secret ?? made
  return {
    secrets: fresh === undefined ? before.secrets : [{ secret: fresh, untilMs: null }],
    headers: headers ?? before.headers,
    ...(made !== undefined && { made }),
  }
}

/** The new one signs from now on, the one before until then, too. */
export function followSecret({ secrets, headers }: PushSecrets, secret: string, untilMs: number): PushSecrets {
  const older = secrets.map((one) => ({ ...one, untilMs: Math.min(one.untilMs ?? untilMs, untilMs) }))
  return { secrets: [{ secret, untilMs: null }, ...older].slice(0, maxSecrets), headers }
}

export const activeSecrets = ({ secrets }: PushSecrets, nowMs: number): string[] =>
  secrets.filter(({ untilMs }) => untilMs === null || untilMs > nowMs).map(({ secret }) => secret)
