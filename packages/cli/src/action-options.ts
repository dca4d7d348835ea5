import type { PatchInbox } from '@sluice/client/admin'
import { Option, type Command } from 'commander'
import { usage } from './exit.ts'
import { readJsonObject, wholeNumber } from './options.ts'

export type ActionOptions = {
  readonly action?: string
  readonly connection?: string
  readonly inputs?: string
  readonly resultType?: string
  readonly concurrency?: number
  readonly timeoutSeconds?: number
  readonly onUnknown?: 'retry' | 'stop'
  readonly push?: string
}

type Action = NonNullable<PatchInbox['action']>
type Push = NonNullable<PatchInbox['push']>

/** What the hub itself does with each event of an inbox. */
export function withAction(command: Command): Command {
  return command
    .option('--action <integration.action>', 'run this for each event, as slack.post_message; "" for nothing any more')
    .option('--connection <key>', 'the connection that the action is run with')
    .option(
      '--inputs <json>',
      'of the action: a JSON object or @FILE, whose texts with a = in front are JSONata over the event; or one such text',
    )
    .option(
      '--push <url>',
      'send each event there; or a JSON object as in docs/push.md, or @FILE; "" for nothing any more',
    )
    .option('--result-type <type>', 'make an event of this type of each result')
    .option('--concurrency <n>', 'runs at a time', wholeNumber(1, 32))
    .option('--timeout-seconds <s>', 'a run is ended after this', wholeNumber(1, 600))
    .addOption(
      new Option(
        '--on-unknown <what>',
        'stop: an event is a dead letter if nobody knows whether its action was done',
      ).choices(['retry', 'stop']),
    )
}

/** The settings that were given, as PATCH takes them. */
export function toActionSettings(options: ActionOptions): Pick<PatchInbox, 'action' | 'push' | 'on_unknown'> {
  const { action, push, onUnknown } = options
  const needsAction = (['connection', 'inputs', 'resultType', 'concurrency', 'timeoutSeconds'] as const).some(
    (name) => options[name] !== undefined,
  )
  if (needsAction && !action) throw usage('say which action it is, as --action slack.post_message')
  return {
    ...(action !== undefined && { action: action === '' ? null : toAction(action, options) }),
    ...(push !== undefined && { push: push === '' ? null : toPush(push) }),
    ...(onUnknown && { on_unknown: onUnknown }),
  }
}

/** The hub judges its members and names every fault. */
const toPush = (text: string): Push => (/^[{@]/.test(text) ? (readJsonObject(text, '--push') as Push) : { url: text })

function toAction(text: string, options: ActionOptions): Action {
  const dot = text.indexOf('.')
  if (dot < 1 || dot === text.length - 1) throw usage(`--action is "${text}"; write it as slack.post_message`)
  const { connection, inputs, resultType, concurrency, timeoutSeconds } = options
  return {
    integration: text.slice(0, dot),
    action: text.slice(dot + 1),
    ...(connection !== undefined && { connection }),
    ...(inputs !== undefined && { inputs: inputs.startsWith('=') ? inputs : readJsonObject(inputs, '--inputs') }),
    ...(resultType !== undefined && { result_event_type: resultType }),
    ...(concurrency !== undefined && { concurrency }),
    ...(timeoutSeconds !== undefined && { timeout_seconds: timeoutSeconds }),
  }
}
