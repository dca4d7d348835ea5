import { runTrigger, type PollParts } from '../domain/poll-trigger.ts'
import {
  listPolls,
  listTriggers,
  putTrigger,
  removeTrigger,
  setTriggerStatus,
  showTrigger,
} from '../domain/triggers.ts'
import type { Handlers } from './call.ts'
import { json, noContent } from './exchange.ts'
import { pageResponse } from './page.ts'

type TriggerRoute =
  | 'listTriggers'
  | 'putTrigger'
  | 'getTrigger'
  | 'deleteTrigger'
  | 'pauseTrigger'
  | 'resumeTrigger'
  | 'runTrigger'
  | 'listPolls'

export function triggerHandlers(parts: PollParts): Pick<Handlers, TriggerRoute> {
  const { context } = parts
  return {
    listTriggers: async ({ principal, query }) =>
      pageResponse('triggers', await listTriggers(context, principal.workspace, query)),
    putTrigger: async ({ principal, params, body }) => {
      const { trigger, created } = await putTrigger(context, principal, { key: params.key, wanted: body })
      return json(created ? 201 : 200, trigger)
    },
    getTrigger: async ({ principal, params }) => json(200, await showTrigger(context, principal.workspace, params.key)),
    deleteTrigger: async ({ principal, params }) => {
      await removeTrigger(context, principal, params.key)
      return noContent()
    },
    pauseTrigger: async ({ principal, params }) =>
      json(200, await setTriggerStatus(context, principal, params.key, 'paused')),
    resumeTrigger: async ({ principal, params }) =>
      json(200, await setTriggerStatus(context, principal, params.key, 'active')),
    runTrigger: async ({ principal, params }) => json(200, await runTrigger(parts, principal.workspace, params.key)),
    listPolls: async ({ principal, params, query }) =>
      pageResponse('polls', await listPolls(context, principal.workspace, { key: params.key, ...query })),
  }
}
