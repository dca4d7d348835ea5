import { z } from 'zod'
import { PatchSource, PutSource, Source, SourceExample, SourceReport, WebhookAccepted } from '../source.ts'
import { list, ok, page, type Route } from '../route.ts'

const source = '/v1/sources/{source}'
const door = { path: '/in/{workspace}/{source}', alias: '/in/{source}', access: 'open', outside: true } as const

/** Webhooks from outside. */
export const sourceRoutes = {
  listSources: {
    method: 'GET',
    path: '/v1/sources',
    summary: 'Addresses that take webhooks from outside',
    access: 'read',
    query: page,
    answers: ok('a page', list('sources', Source)),
  },
  getSource: {
    method: 'GET',
    path: source,
    summary: 'One source',
    access: 'read',
    answers: ok('the source', Source),
  },
  putSource: {
    method: 'PUT',
    path: source,
    summary: 'Ensure a source',
    access: 'admin',
    repeatable: 'always',
    body: PutSource,
    answers: {
      200: { description: 'was there, with these settings', schema: Source },
      201: { description: 'made', schema: Source },
    },
  },
  patchSource: {
    method: 'PATCH',
    path: source,
    summary: 'Change settings, or replace secrets',
    access: 'admin',
    body: PatchSource,
    answers: ok('the source', Source),
  },
  deleteSource: {
    method: 'DELETE',
    path: source,
    summary: 'Remove a source; its events stay',
    access: 'admin',
    answers: { 204: { description: 'removed' } },
  },
  getSourceReport: {
    method: 'GET',
    path: `${source}/report`,
    summary: 'What became of its requests, by hour, and why the last ones were refused',
    access: 'read',
    query: z.object({ hours: z.coerce.number().int().min(1).max(168).default(24) }),
    answers: ok('the report', SourceReport),
  },
  createSourceExample: {
    method: 'POST',
    path: `${source}/example`,
    summary: 'A request as its sender would make it, signed; nothing is sent or stored',
    access: 'admin',
    answers: ok('what to post, and where', SourceExample),
  },
  receiveWebhook: {
    ...door,
    method: 'POST',
    summary: 'A webhook from outside, signed as its source says; `/in/{source}` is the workspace `default`',
    answers: {
      200: { description: 'a repetition, or the answer to a handshake', schema: WebhookAccepted },
      202: { description: 'stored', schema: WebhookAccepted },
    },
  },
  confirmWebhook: {
    ...door,
    method: 'GET',
    summary: 'Handshake of senders that ask with GET',
    answers: { 200: { description: 'what was asked for', mediaType: 'text/plain' } },
  },
  permitWebhook: {
    ...door,
    method: 'OPTIONS',
    summary: 'Handshake of senders that ask with OPTIONS, as CloudEvents describes it',
    answers: { 204: { description: 'allowed, as the fields WebHook-Allowed-… say' } },
  },
} as const satisfies Record<string, Route>
