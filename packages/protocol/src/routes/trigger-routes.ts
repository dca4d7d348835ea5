import { list, ok, page, type Route } from '../route.ts'
import { Poll, PutTrigger, Trigger } from '../trigger.ts'

/** Polling triggers at work. */
export const triggerRoutes = {
  listTriggers: {
    method: 'GET',
    path: '/v1/triggers',
    summary: 'Polling triggers at work',
    access: 'act',
    query: page,
    answers: ok('a page', list('triggers', Trigger)),
  },
  putTrigger: {
    method: 'PUT',
    path: '/v1/triggers/{key}',
    summary: 'Activate a polling trigger, or change it',
    access: 'act',
    body: PutTrigger,
    answers: {
      200: { description: 'was there, changed if it differed', schema: Trigger },
      201: { description: 'made', schema: Trigger },
    },
  },
  getTrigger: {
    method: 'GET',
    path: '/v1/triggers/{key}',
    summary: 'One trigger',
    access: 'act',
    answers: ok('the trigger', Trigger),
  },
  deleteTrigger: {
    method: 'DELETE',
    path: '/v1/triggers/{key}',
    summary: 'Deactivate a trigger for good, with what it remembers',
    access: 'act',
    answers: { 204: { description: 'removed' } },
  },
  pauseTrigger: {
    method: 'POST',
    path: '/v1/triggers/{key}/pause',
    summary: 'Poll no more for now',
    access: 'act',
    answers: ok('the trigger', Trigger),
  },
  resumeTrigger: {
    method: 'POST',
    path: '/v1/triggers/{key}/resume',
    summary: 'Go on where it was; what was missed is polled once',
    access: 'act',
    answers: ok('the trigger', Trigger),
  },
  runTrigger: {
    method: 'POST',
    path: '/v1/triggers/{key}/run',
    summary: 'Poll now',
    access: 'act',
    answers: ok('what came of it', Poll),
  },
  listPolls: {
    method: 'GET',
    path: '/v1/triggers/{key}/polls',
    summary: 'Polls, newest first; kept for 7 days',
    access: 'act',
    query: page,
    answers: ok('a page', list('polls', Poll)),
  },
} as const satisfies Record<string, Route>
