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
