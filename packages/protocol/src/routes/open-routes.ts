import { z } from 'zod'
import { Slug } from '../slug.ts'
import { ok, type Route } from '../route.ts'

const Status = z
  .object({ status: z.literal('ok'), version: z.string(), uptime_seconds: z.number() })
  .meta({ id: 'Status' })
const Health = z
  .object({ status: z.enum(['ok', 'failing']), checks: z.record(z.string(), z.string()) })
  .meta({ id: 'Health' })

/** What needs no key. */
export const openRoutes = {
  getRoot: {
    method: 'GET',
    path: '/',
    summary: 'Where things are',
    access: 'open',
    answers: ok('links', z.object({ message: z.string(), version: z.string(), docs: z.string(), health: z.string() })),
  },
  getStatus: {
    method: 'GET',
    path: '/status',
    summary: 'Is the process up (touches no store)',
    access: 'open',
    answers: ok('up', Status),
  },
  getHealth: {
    method: 'GET',
    path: '/health',
    summary: 'Are store and writer working',
    access: 'open',
    answers: {
      200: { description: 'all work', schema: Health },
      503: { description: 'at least one fails', schema: Health },
    },
  },
  getOpenapi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description',
    access: 'open',
    answers: ok('OpenAPI 3.1', z.record(z.string(), z.unknown())),
  },
  getDocs: {
    method: 'GET',
    path: '/docs',
    summary: 'API reference for people',
    access: 'open',
    answers: { 200: { description: 'a page', mediaType: 'text/html' } },
  },
  getKeySet: {
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'Public keys that pushed events are signed with (v1a)',
    access: 'open',
    query: z.object({ workspace: Slug.optional().describe('default `default`') }),
    answers: ok('a JSON Web Key Set', z.object({ keys: z.array(z.record(z.string(), z.unknown())) })),
  },
  getProblem: {
    method: 'GET',
    path: '/problems/{code}',
    summary: 'What an error means and what to do',
    access: 'open',
    answers: { 200: { description: 'a page', mediaType: 'text/html' } },
  },
  getConnectPage: {
    method: 'GET',
    path: '/connect/{token}',
    summary: 'Where a person connects an account: a form, or the way to the provider',
    access: 'open',
    isPage: true,
    answers: { 200: { description: 'a page', mediaType: 'text/html' } },
  },
  postConnectPage: {
    method: 'POST',
    path: '/connect/{token}',
    summary: 'The form of that page',
    access: 'open',
    isPage: true,
    answers: { 200: { description: 'a page', mediaType: 'text/html' } },
  },
  leaveConnectPage: {
    method: 'GET',
    path: '/connect/{token}/start',
    summary: 'Begin at the OAuth2 provider',
    access: 'open',
    isPage: true,
    query: z.object({ method: z.string().max(100).optional() }),
    answers: { 200: { description: 'to the provider (302), or a page', mediaType: 'text/html' } },
  },
  finishConnectPage: {
    method: 'GET',
    path: '/connect/callback',
    summary: 'Where an OAuth2 provider sends the browser back to',
    access: 'open',
    isPage: true,
    answers: { 200: { description: 'a page', mediaType: 'text/html' } },
  },
  getMetrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Prometheus metrics; from loopback, or with a key that may read',
    access: 'open',
    answers: { 200: { description: 'metrics', mediaType: 'text/plain' } },
  },
} as const satisfies Record<string, Route>
