import type { Context } from '../domain/context.ts'
import { cancelScheduledEvent, listScheduledEvents, showScheduledEvent } from '../domain/schedules/waiting.ts'
import {
  listSchedules,
  putSchedule,
  removeSchedule,
  setScheduleStatus,
  showSchedule,
} from '../domain/schedules/schedules.ts'
import type { Handlers } from './call.ts'
import { json, jsonText, noContent } from './exchange.ts'
import { pageResponse } from './page.ts'

type ScheduleRoute =
  | 'listScheduledEvents'
  | 'getScheduledEvent'
  | 'cancelScheduledEvent'
  | 'listSchedules'
  | 'putSchedule'
  | 'getSchedule'
  | 'deleteSchedule'
  | 'pauseSchedule'
  | 'resumeSchedule'

export function scheduleHandlers(context: Context): Pick<Handlers, ScheduleRoute> {
  return {
    listScheduledEvents: async ({ principal, query }) =>
      pageResponse('scheduled_events', await listScheduledEvents(context, principal.workspace, query)),
    getScheduledEvent: async ({ principal, params }) =>
      jsonText(200, await showScheduledEvent(context, principal.workspace, params.scheduled_id)),
    cancelScheduledEvent: async ({ principal, params }) => {
      await cancelScheduledEvent(context, principal, params.scheduled_id)
      return noContent()
    },
    listSchedules: async ({ principal, query }) =>
      pageResponse('schedules', await listSchedules(context, principal.workspace, query)),
    putSchedule: async ({ principal, params, body }) => {
      const { schedule, created } = await putSchedule(context, principal, { key: params.key, wanted: body })
      return json(created ? 201 : 200, schedule)
    },
    getSchedule: async ({ principal, params }) =>
      json(200, await showSchedule(context, principal.workspace, params.key)),
    deleteSchedule: async ({ principal, params }) => {
      await removeSchedule(context, principal, params.key)
      return noContent()
    },
    pauseSchedule: async ({ principal, params }) =>
      json(200, await setScheduleStatus(context, principal, { key: params.key, status: 'paused' })),
    resumeSchedule: async ({ principal, params }) =>
      json(200, await setScheduleStatus(context, principal, { key: params.key, status: 'active' })),
  }
}
