import { list, ok, page, type Route } from '../route.ts'
import { PutSchedule, Schedule, ScheduledEvent, ScheduledEventWithEvent } from '../schedule.ts'

/** Events that wait for their time, and schedules that make events. */
export const scheduleRoutes = {
  listScheduledEvents: {
    method: 'GET',
    path: '/v1/scheduled-events',
    summary: 'Events that wait for their time, in the order in which they are due',
    access: 'read',
    query: page,
    answers: ok('a page', list('scheduled_events', ScheduledEvent)),
  },
  getScheduledEvent: {
    method: 'GET',
    path: '/v1/scheduled-events/{scheduled_id}',
    summary: 'One of them, whole',
    access: 'read',
    answers: ok('the event as it was published', ScheduledEventWithEvent),
  },
  cancelScheduledEvent: {
    method: 'DELETE',
    path: '/v1/scheduled-events/{scheduled_id}',
    summary: 'Cancel one before it is due',
    access: 'act',
    answers: { 204: { description: 'cancelled: it will not be published' } },
  },
  listSchedules: {
    method: 'GET',
    path: '/v1/schedules',
    summary: 'Schedules that make events',
    access: 'act',
    query: page,
    answers: ok('a page', list('schedules', Schedule)),
  },
  putSchedule: {
    method: 'PUT',
    path: '/v1/schedules/{key}',
    summary: 'Make an event each time that a cron expression says',
    access: 'act',
    body: PutSchedule,
    answers: {
      200: { description: 'was there, changed if it differed', schema: Schedule },
      201: { description: 'made', schema: Schedule },
    },
  },
  getSchedule: {
    method: 'GET',
    path: '/v1/schedules/{key}',
    summary: 'One schedule',
    access: 'act',
    answers: ok('the schedule', Schedule),
  },
  deleteSchedule: {
    method: 'DELETE',
    path: '/v1/schedules/{key}',
    summary: 'Remove a schedule',
    access: 'act',
    answers: { 204: { description: 'removed' } },
  },
  pauseSchedule: {
    method: 'POST',
    path: '/v1/schedules/{key}/pause',
    summary: 'Make no events for now',
    access: 'act',
    answers: ok('the schedule', Schedule),
  },
  resumeSchedule: {
    method: 'POST',
    path: '/v1/schedules/{key}/resume',
    summary: 'Go on with the next time that is to come; what was missed is not made up for',
    access: 'act',
    answers: ok('the schedule', Schedule),
  },
} as const satisfies Record<string, Route>
