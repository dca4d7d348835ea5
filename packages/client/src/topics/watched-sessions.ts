import { createAdmin } from '../admin.ts'
import { createSluice } from '../client.ts'
import { withTopics } from './sessions.ts'
import { defineTopics } from './topics.ts'
import { createWatched, type Handle } from './watched-transport.ts'

export const topics = defineTopics({
  DefaultCategory: 'testing',
  Topics: [
    {
      Action: 'Created',
      Entity: 'Test',
      Schema: { type: 'object', required: ['n'], properties: { n: { type: 'integer' }, text: { type: 'string' } } },
    },
    { Action: 'Paid', Entity: 'Invoice', Category: 'billing', Schema: { type: 'object' } },
  ],
})

export const service = 'my-service'

/** For tests: sessions on a real hub, and what they have sent and left there. */
export function openWatchedSessions(connection: { readonly baseUrl: string; readonly apiKey: string }) {
  const sluice = createSluice(connection)
  const admin = createAdmin(connection)
  return {
    sluice,
    admin,
    /** Sessions whose requests can be seen and held up. */
    watch: (handle?: Handle) => {
      const { transport, bodies, lines } = createWatched(handle)
      return { events: withTopics(sluice.with({ transport, random: () => 0 }), topics, { service }), bodies, lines }
    },
    /** What a session with that job has left in the hub, oldest first. */
    stored: async (jobId: string) => {
      const { events } = await admin.searchEvents({ source: service, limit: 200 })
      return events.filter((event) => event.correlation_id === jobId).toReversed()
    },
  }
}
