import type { ValidationSource } from './error.ts'

/** Of the format, not of this package: it is that of the Autohive SDK 2. */
const resultVersion = '2.0.0'

/** What an action answers with. */
export type ActionResult<Data = unknown> = {
  readonly data: Data
  /** USD; 0 is free, null or left out unknown */
  readonly cost_usd?: number | null
}

/** Who a connection belongs to. */
export type ConnectedAccountInfo = {
  readonly email?: string | null
  readonly first_name?: string | null
  readonly last_name?: string | null
  readonly username?: string | null
  readonly user_id?: string | null
  readonly avatar_url?: string | null
  readonly organization?: string | null
}

export const accountMembers = [
  'email',
  'first_name',
  'last_name',
  'username',
  'user_id',
  'avatar_url',
  'organization',
] as const

/** One thing that a polling trigger has found. */
export type PollRecord<Data = unknown> = {
  readonly id: string | number
  readonly data: Data
  /** another version of the same id is another event; default none */
  readonly version?: string | number
}

type Envelope<Type extends string, Result> = { readonly version: string; readonly type: Type; readonly result: Result }

/** `retry_after`: seconds to wait, where the service has said that there were too many requests. */
export type ErrorResult = Envelope<
  'error',
  { readonly message: string; readonly cost_usd: null; readonly retry_after?: number }
>
export type ValidationErrorResult = Envelope<
  'validation_error',
  { readonly message: string; readonly property: null; readonly value: null; readonly source: ValidationSource }
>
export type ActionEnvelope =
  | Envelope<'action', { readonly data: unknown; readonly cost_usd: number | null }>
  | Envelope<'action_error', { readonly message: string; readonly cost_usd: number | null }>
  | ValidationErrorResult
  | ErrorResult
export type PollEnvelope =
  | Envelope<'polling_trigger', { readonly records: readonly PollRecord[]; readonly state: unknown }>
  | ValidationErrorResult
  | ErrorResult
export type AccountEnvelope =
  | Envelope<'connected_account', { readonly [Member in (typeof accountMembers)[number]]: string | null }>
  | ValidationErrorResult
  | ErrorResult

export const toEnvelope = <Type extends string, Result>(type: Type, result: Result): Envelope<Type, Result> => ({
  version: resultVersion,
  type,
  result,
})
