import { setTimeout as sleep } from 'node:timers/promises'
import { createSluice } from '@sluice/client'
import { createAdmin } from '@sluice/client/admin'

// A worker with an inbox of its own: leases events, runs a handler over them, acknowledges what went well and gives back what
// threw. A real one runs until SIGTERM; this one stops when its twenty events are done.
const options = { baseUrl: process.env.SLUICE_URL, apiKey: process.env.SLUICE_API_KEY }
const sluice = createSluice(options)
const admin = createAdmin(options)

const name = `example-worker-${crypto.randomUUID().slice(0, 8)}`
await admin.putInbox(name, {
  filter: { event_types: ['user.*', 'order.*'], sources: [name] },
  max_attempts: 5,
  retry: { schedule_seconds: [1, 10, 60] },
})

const events = Array.from({ length: 20 }, (_, number) => ({
  event_type: number % 2 === 0 ? 'user.signup' : 'order.created',
  payload: { number },
  source: name,
}))
await sluice.events.sendBatch(events)

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())

// Events can come twice: a worker that dies before its acknowledgement arrives leaves the event to another one.
const done = new Set<string>()

const result = await sluice.inbox(name).work(
  async (event) => {
    if (done.has(event.event_id)) return
    await sleep(20)
    if (event.payload.number === 7 && event.attempt === 1) throw new Error('the mail server is away')
    console.log(`${event.event_type} ${String(event.payload.number)}, attempt ${event.attempt}`)
    done.add(event.event_id)
    if (done.size === events.length) stop.abort()
  },
  {
    concurrency: 4,
    leaseSeconds: 30,
    signal: stop.signal,
    onError: (error, event) =>
      console.log(`${event.event_type} ${String(event.payload.number)} failed: ${String(error)}`),
  },
)
console.log(`acknowledged ${result.acked}, given back ${result.released}, dead ${result.dead}`)
await admin.deleteInbox(name)
