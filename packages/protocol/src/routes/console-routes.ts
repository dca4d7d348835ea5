import { z } from 'zod'
import { Activity, ActivityRange } from '../activity.ts'
import { ok, type Route } from '../route.ts'
import { Session } from '../session.ts'

/** The web page, and how a browser signs in. */
export const consoleRoutes = {
  getConsole: {
    method: 'GET',
    path: '/console',
    below: true,
    summary: 'The console: its page, and what that loads',
    access: 'open',
    answers: { 200: { description: 'a page', mediaType: 'text/html' } },
  },
  getActivity: {
    method: 'GET',
    path: '/v1/activity',
    summary: 'What happened in the last hour, day or month',
    access: 'inbox-read',
    query: z.object({ range: ActivityRange.default('hour') }),
    answers: ok('points in time', Activity),
  },
  createSession: {
    method: 'POST',
    path: '/v1/session',
    summary: 'Sign in: a cookie for the key, or for the one-time link, that stands in Authorization',
    access: 'self',
    answers: { 201: { description: 'signed in', schema: Session } },
  },
  getSession: {
    method: 'GET',
    path: '/v1/session',
    summary: 'Who asks, and what they may do',
    access: 'self',
    answers: ok('of the cookie, or of the key', Session),
  },
  deleteSession: {
    method: 'DELETE',
    path: '/v1/session',
    summary: 'Sign out',
    access: 'self',
    repeatable: 'always',
    answers: { 204: { description: 'the cookie is gone' } },
  },
} as const satisfies Record<string, Route>
