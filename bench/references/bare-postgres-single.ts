import pg from 'pg'
import { partsOf, toEventText } from '../event.ts'

/**
 * The driver alone: inserts the events of the benchmark one by one into the table that the store has made, prepared, each
 * committed by itself. Every connection has one insert under way.
 *
 * @arguments the database's address, the number of connections
 */
const [connectionString = '', connections = '16'] = process.argv.slice(2)
const text = `insert into event (workspace_id, position, accepted_ms, event_type, source, subject, body, notes)
  values ($1, $2, $3, $4, $5, $6, $7, null)`
// Made beforehand: only the database is measured.
const events = Array.from({ length: 10_000 }, (_, counter) => ({ ...partsOf(counter), body: toEventText(counter) }))
const clients = await Promise.all(
  Array.from({ length: Number(connections) }, async () => {
    const client = new pg.Client({ connectionString })
    await client.connect()
    return client
  }),
)
let position = 0

process.on('message', async ({ seconds }: { seconds: number }) => {
  const started = performance.now()
  const first = position
  const loop = async (client: pg.Client): Promise<void> => {
    while (performance.now() - started < seconds * 1000) {
      position += 1
      const { eventType, source, subject, body } = events[position % events.length] ?? { ...partsOf(0), body: '' }
      await client.query({
        name: 'insert',
        text,
        values: [1, position, Date.now(), eventType, source, subject, body],
      })
    }
  }
  await Promise.all(clients.map(loop))
  process.send?.({ rows: position - first, seconds: (performance.now() - started) / 1000 })
})
process.once('disconnect', () => process.exit())
process.send?.({ rows: 0, seconds: 0 })
