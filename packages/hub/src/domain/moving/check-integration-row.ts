import { ConnectedAccount, ConnectionGrant, PutBudget, Slug, Trigger } from '@sluice/protocol'
import { z } from 'zod'
import type { MovedRow } from '../../store/moving.ts'

type Row<Kind extends MovedRow['kind']> = Extract<MovedRow, { kind: Kind }>['row']

const TriggerSettings = Trigger.pick({
  integration: true,
  polling_trigger: true,
  connection: true,
  inputs: true,
  interval_seconds: true,
  first_poll: true,
  look_back_seconds: true,
}).extend({ user_id: z.string() })

/** Whether its credentials open is seen when they are used: that depends on the secret key of this hub. */
export function findConnectionFault({
  key,
  access,
  account,
  granted_keys: keys,
}: Row<'connection'>): string | undefined {
  const grant = access === 'keys' ? { keys: toJson(keys ?? '') } : access
  if (!Slug.safeParse(key).success || !ConnectionGrant.safeParse(grant).success)
    return 'has a key or grant that no connection has'
  const isAccount = account === null || ConnectedAccount.safeParse(toJson(account)).success
  return isAccount ? undefined : 'has an account that no connection has'
}

export const findClientFault = ({ integration }: Row<'oauth_client'>): string | undefined =>
  Slug.safeParse(integration).success ? undefined : 'is of an integration that cannot be'

export function findTriggerFault({ key, settings, status, state }: Row<'polling_trigger'>): string | undefined {
  if (!Slug.safeParse(key).success || (status !== 'active' && status !== 'paused'))
    return 'has a key or status that no polling trigger has'
  if (!TriggerSettings.safeParse(toJson(settings)).success) return 'has settings that no polling trigger has'
  return state === null || toJson(state) !== undefined ? undefined : 'has a state that is not JSON'
}

export function findBudgetFault({ key, settings }: Row<'budget'>): string | undefined {
  const isBudget = Slug.safeParse(key).success && PutBudget.required().safeParse(toJson(settings)).success
  return isBudget ? undefined : 'has a key or settings that no budget has'
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
