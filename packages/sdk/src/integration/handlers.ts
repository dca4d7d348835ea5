import type { ActionError } from './error.ts'
import type { Context } from './context.ts'
import type { ActionResult, ConnectedAccountInfo, PollRecord } from './result.ts'

type Answered<Value> = Value | Promise<Value>
type Inputs = Record<string, unknown>

export type ActionFunction<In = Inputs, Out = unknown, Given = Context> = (
  inputs: In,
  context: Given,
) => Answered<ActionResult<Out> | ActionError>

/** When the trigger was last asked, and what it gave as state then. */
export type PollPlace = { readonly last_poll_ts: string | null; readonly state: unknown }

/** Records, or records with a state to be given back at the next poll. */
export type Polled<Out = unknown> =
  | readonly PollRecord<Out>[]
  | { readonly records: readonly PollRecord<Out>[]; readonly state?: unknown }

export type PollFunction<In = Inputs, Out = unknown, Given = Context> = (
  inputs: In,
  place: PollPlace,
  context: Given,
) => Answered<Polled<Out>>

export type AccountFunction<Given = Context> = (context: Given) => Answered<ConnectedAccountInfo>

/** Class handlers: an instance is made for each call. */
export type ActionClass = new () => { execute(inputs: Inputs, context: Context): Answered<ActionResult | ActionError> }
export type PollClass = new () => {
  poll(inputs: Inputs, lastPollTs: string | null, context: Context): Answered<Polled>
}
export type AccountClass = new () => { getAccountInfo(context: Context): Answered<ConnectedAccountInfo> }

export const toAction = (handler: ActionFunction | ActionClass): ActionFunction =>
  isClass<ActionClass>(handler, 'execute') ? (inputs, context) => new handler().execute(inputs, context) : handler

export const toPoll = (handler: PollFunction | PollClass): PollFunction =>
  isClass<PollClass>(handler, 'poll')
    ? (inputs, { last_poll_ts: lastPollTs }, context) => new handler().poll(inputs, lastPollTs, context)
    : handler

export const toAccount = (handler: AccountFunction | AccountClass): AccountFunction =>
  isClass<AccountClass>(handler, 'getAccountInfo') ? (context) => new handler().getAccountInfo(context) : handler

/** A class, and not a function: its prototype, or one that it inherits from, has the method. */
function isClass<Class>(handler: unknown, method: string): handler is Class {
  const prototype: unknown = typeof handler === 'function' ? handler.prototype : undefined
  return typeof prototype === 'object' && prototype !== null && method in prototype
}
