import type { PutSchedule, Schedule, ScheduledEventWithEvent } from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'
import type { PageQuery, ScheduledEventPage, SchedulePage } from './page.ts'

export function createScheduleRoutes(request: Request) {
  const event = (id: string): string => `/v1/scheduled-events/${encodeURIComponent(id)}`
  const of = (key: string): string => `/v1/schedules/${encodeURIComponent(key)}`
  return {
    listScheduledEvents: (query: PageQuery = {}, options?: RequestOptions): Promise<ScheduledEventPage> =>
      request({ method: 'GET', path: '/v1/scheduled-events', query, repeatable: true }, options),
    getScheduledEvent: (id: string, options?: RequestOptions): Promise<ScheduledEventWithEvent> =>
      request({ method: 'GET', path: event(id), repeatable: true }, options),
    cancelScheduledEvent: (id: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: event(id), repeatable: false, answer: 'none' }, options),
    listSchedules: (query: PageQuery = {}, options?: RequestOptions): Promise<SchedulePage> =>
      request({ method: 'GET', path: '/v1/schedules', query, repeatable: true }, options),
    putSchedule: (key: string, body: PutSchedule, options?: RequestOptions): Promise<Schedule> =>
      request({ method: 'PUT', path: of(key), body, repeatable: true }, options),
    getSchedule: (key: string, options?: RequestOptions): Promise<Schedule> =>
      request({ method: 'GET', path: of(key), repeatable: true }, options),
    deleteSchedule: (key: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: of(key), repeatable: false, answer: 'none' }, options),
    pauseSchedule: (key: string, options?: RequestOptions): Promise<Schedule> =>
      request({ method: 'POST', path: `${of(key)}/pause`, repeatable: true }, options),
    resumeSchedule: (key: string, options?: RequestOptions): Promise<Schedule> =>
      request({ method: 'POST', path: `${of(key)}/resume`, repeatable: true }, options),
  }
}
