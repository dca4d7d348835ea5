import { createSluice } from '@sluice/client'
import { topicsFromFile } from '@sluice/client/node'
import { FlushError, TopicDataError, withTopics } from '@sluice/client/topics'
// Written by: sluice types generate topics.yaml --out topics.ts
import type { definitions } from './topics.ts'

// The walk-through of the bc-events README, in its order. What was an EventClient there is `events` here.

// Once for a program: the hub, the name of the service, the topics. A file with faults fails here, by line.
const sluice = createSluice({ baseUrl: process.env.SLUICE_URL, apiKey: process.env.SLUICE_API_KEY })
const topics = await topicsFromFile<typeof definitions>(new URL('topics.yaml', import.meta.url))
const events = withTopics(sluice, topics, { service: 'MyService' })

// Once for a request. User and job come from its header fields, or from an event that was received.
const userSession = events.userSession('COGNITO-USER-ID', 'BC-JOB-ID')

// For what the program does by itself; without a job id one is made.
const serviceSession = events.serviceSession()
console.log(`a service session: ${serviceSession.actor.type} ${serviceSession.actor.id}, a job of its own`)

// Published in full, and by the names of its methods: action first or entity first. TypeScript knows them, and their data.
userSession.publish({ action: 'Created', entity: 'MyEntity', data: { event: 'json', data: 'here' } })
userSession.created_my_entity({ event: 'json', data: 'here' })
userSession.my_entity_created({ event: 'json', data: 'here' })
userSession.createdMyEntity({ event: 'json', data: 'here' })
userSession.in('billing').invoicePaid({ invoice_id: '7', cents: 4200 })
console.log(`published, not sent: ${userSession.events.length}`)

// Wrong data fails where it is published, with every fault; what is in the session already is not touched.
try {
  // @ts-expect-error -- invoice_id is missing, which TypeScript sees too
  userSession.in('billing').invoicePaid({ cents: 0 })
} catch (error) {
  if (!(error instanceof TopicDataError)) throw error
  console.log(error.message)
}

// At the end of the request: all of them in one request, under one job. A second flush has nothing left to send.
console.log(`flushed: ${(await userSession.flush()).accepted}, then ${(await userSession.flush()).accepted}`)

// Where the request fails instead, nothing was sent.
serviceSession.createdMyEntity({ event: 'never seen' })
console.log(`rolled back: ${serviceSession.rollback()}`)

// Both at once: flushed when the work returns, rolled back when it throws.
await events.run({ userId: 'COGNITO-USER-ID' }, async (session) => {
  session.createdMyEntity({ event: 'from a unit of work' })
})

// Without a buffer. There is no rolling back from there, so it is not for work that can still fail.
const direct = withTopics(sluice, topics, { service: 'MyService', publishImmediately: true }).serviceSession()
const answer = await direct.publish({ action: 'Created', entity: 'MyEntity', data: { event: 'at once' } })
console.log(`at once: ${answer?.status}`)

// A hub that cannot be reached: the events stay in the session, under the same keys.
const away = withTopics(sluice.with({ baseUrl: 'http://127.0.0.1:1', maxRetries: 0 }), topics, { service: 'MyService' })
const stranded = away.serviceSession()
stranded.createdMyEntity({ event: 'json' })
await stranded.flush().catch((error: unknown) => {
  if (!(error instanceof FlushError)) throw error
  console.log(`not sent: ${error.failed.length}, still in the session: ${stranded.events.length}`)
})

// Local mode, without a hub: checked and logged, never sent.
const local = withTopics(null, topics, { service: 'MyService' }).serviceSession()
local.createdMyEntity({ event: 'json' })
console.log(`local: ${(await local.flush()).accepted} sent, ${local.events.length} left`)
