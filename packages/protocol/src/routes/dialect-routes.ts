import { z } from 'zod'
import { BriteAccepted, BriteBulkAccepted, BriteEvent, briteBulkMax } from '../brite-event.ts'
import { EsautiEvent, EsautiIdentify, EsautiLinked, EsautiReceipt } from '../esauti-event.ts'
import { limits } from '../event.ts'
import { Problem } from '../problem.ts'
import type { Route } from '../route.ts'

const BriteError = Problem.extend({
  errorType: z.string().describe('a name that means "send it again", or the code of a refusal'),
}).meta({ id: 'BriteError' })

const EsautiError = Problem.extend({
  error: z.object({ message: z.string(), code: z.int().describe('the status') }),
}).meta({ id: 'EsautiError' })

/** Foreign clients, unchanged: each dialect has its own requests, answers and errors. */
export const dialectRoutes = {
  publishBriteEvent: {
    method: 'POST',
    path: '/dialects/briteevents/events',
    summary: 'Publish one event as clients of the BriteEvents API do; x-britecore-job-id becomes its correlation_id',
    access: 'publish',
    repeatable: 'always',
    dialect: 'briteevents',
    body: BriteEvent,
    answers: { 201: { description: 'stored', schema: BriteAccepted } },
    error: BriteError,
  },
  publishBriteEvents: {
    method: 'POST',
    path: '/dialects/briteevents/events/bulk',
    alias: '/dialects/briteevents/events/bulk/',
    summary: `Publish up to ${briteBulkMax} events as clients of the BriteEvents API do`,
    access: 'publish',
    repeatable: 'always',
    dialect: 'briteevents',
    body: z.array(BriteEvent).max(briteBulkMax),
    maxBodyBytes: limits.batchBytes,
    answers: { 201: { description: 'a result for each event', schema: BriteBulkAccepted } },
    error: BriteError,
  },
  publishEsautiEvent: {
    method: 'POST',
    path: '/api/integrations/events',
    alias: '/v1/inbound/event',
    summary: "Publish one event as eSauti's SDKs do",
    access: 'publish',
    repeatable: 'always',
    dialect: 'esauti',
    body: EsautiEvent,
    answers: {
      200: { description: 'a repetition', schema: EsautiReceipt },
      201: { description: 'stored', schema: EsautiReceipt },
      202: { description: 'waits in quarantine', schema: EsautiReceipt },
    },
    error: EsautiError,
  },
  identifyEsautiCustomer: {
    method: 'POST',
    path: '/api/integrations/identify',
    summary: "Say who a visitor is, as eSauti's SDKs do: publishes customer.identified",
    access: 'publish',
    repeatable: 'always',
    dialect: 'esauti',
    body: EsautiIdentify,
    answers: {
      200: { description: 'a repetition', schema: EsautiLinked },
      201: { description: 'stored', schema: EsautiLinked },
      202: { description: 'waits in quarantine', schema: EsautiLinked },
    },
    error: EsautiError,
  },
} as const satisfies Record<string, Route>
