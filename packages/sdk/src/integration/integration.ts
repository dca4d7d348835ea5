import type { IntegrationConfig } from './config.ts'
import type { Context } from './context.ts'
import { ConfigurationError } from './error.ts'
import { executeAction, executePollingTrigger, getConnectedAccount, type Parts } from './execute.ts'
import {
  toAccount,
  toAction,
  toPoll,
  type AccountClass,
  type AccountFunction,
  type ActionClass,
  type ActionFunction,
  type PollClass,
  type PollFunction,
} from './handlers.ts'
import type { Note } from './report.ts'
import type { AccountEnvelope, ActionEnvelope, PollEnvelope } from './result.ts'

/** An integration with its handlers, ready to run. */
export type Integration = {
  readonly config: IntegrationConfig
  /** what was mended in the configuration when it was loaded */
  readonly repairs: readonly Note[]
  /**
   * Registers the handler of an action; a later one replaces it.
   *
   * @throws ConfigurationError if the configuration has no action of that name
   */
  action(name: string, handler: ActionFunction | ActionClass): void
  pollingTrigger(name: string, handler: PollFunction | PollClass): void
  connectedAccount(handler: AccountFunction | AccountClass): void
  /** Never rejects for what a handler or its inputs do wrong: the result says it. */
  executeAction(name: string, inputs: unknown, context: Context): Promise<ActionEnvelope>
  /** @param place when it was polled last (ISO 8601), and the state that it answered then */
  executePollingTrigger(
    name: string,
    inputs: unknown,
    context: Context,
    place?: { readonly last_poll_ts?: string | null; readonly state?: unknown },
  ): Promise<PollEnvelope>
  getConnectedAccount(context: Context): Promise<AccountEnvelope>
  /** What the configuration names and nobody handles. */
  missingHandlers(): string[]
}

/** An integration without handlers yet. */
export function createIntegration(config: IntegrationConfig, repairs: readonly Note[] = []): Integration {
  const actions = new Map<string, ActionFunction>()
  const polls = new Map<string, PollFunction>()
  let account: AccountFunction | undefined
  const parts: Parts = { config, actions, polls, account: () => account }
  return {
    config,
    repairs,
    action: (name, handler) => {
      requireName('action', name, config.actions)
      actions.set(name, toAction(handler))
    },
    pollingTrigger: (name, handler) => {
      requireName('polling trigger', name, config.polling_triggers)
      polls.set(name, toPoll(handler))
    },
    connectedAccount: (handler) => {
      account = toAccount(handler)
    },
    executeAction: (name, inputs, context) => executeAction(parts, name, inputs, context),
    executePollingTrigger: (name, inputs, context, place = {}) => {
      const { last_poll_ts: lastPollTs = null, state = null } = place
      return executePollingTrigger(parts, { name, inputs, place: { last_poll_ts: lastPollTs, state } }, context)
    },
    getConnectedAccount: (context) => getConnectedAccount(parts, context),
    missingHandlers: () => [
      ...without(config.actions, actions).map((name) => `action "${name}"`),
      ...without(config.polling_triggers, polls).map((name) => `polling trigger "${name}"`),
      ...(config.supports_connected_account && !account ? ['connected account'] : []),
    ],
  }
}

const without = (configured: object, handlers: ReadonlyMap<string, unknown>): string[] =>
  Object.keys(configured).filter((name) => !handlers.has(name))

function requireName(kind: string, name: string, configured: object): void {
  if (Object.hasOwn(configured, name)) return
  const names = Object.keys(configured).join(', ') || 'none'
  throw new ConfigurationError(`the configuration has no ${kind} "${name}"; it has ${names}`)
}
