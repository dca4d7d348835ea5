import pg from 'pg'
import { partsOf, toEventText } from '../event.ts'

/**
 * The driver alone: inserts the events of the benchmark into the table that the store has made, 500 rows of `values` a
 * statement, prepared, each in a transaction that holds the lock of its workspace. A workspace has one connection; a
 * transaction goes out in one piece, with the lock in a statement of its own.
 *
 * @arguments the database's address, the number of workspaces
 */
const rowsAStatement = 500
const [connectionString = '', workspaces = '1'] = process.argv.slice(2)
const rows = Array.from({ length: rowsAStatement }, (_, index) => {
  const [a, b, c, d] = [4, 5, 6, 7].map((parameter) => `$${parameter + index * 4}`)
  return `($1::int, $3::bigint + ${index + 1}, $2::bigint, ${a}, ${b}, ${c}, ${d}, null)`
})
const insert = {
  name: 'insert',
  text: `insert into event (workspace_id, position, accepted_ms, event_type, source, subject, body, notes) values ${rows.join(', ')}`,
}
// Made beforehand: only the database is measured.
const groups = Array.from({ length: 20 }, (_, group) =>
  Array.from({ length: rowsAStatement }, (_row, index) => {
    const counter = group * rowsAStatement + index
    const { eventType, source, subject } = partsOf(counter)
    return [eventType, source, subject, toEventText(counter)]
  }).flat(),
)
const clients = await Promise.all(
  Array.from({ length: Number(workspaces) }, async () => {
    const client = new pg.Client({ connectionString, pipeline: true })
    await client.connect()
    return client
  }),
)
const positions = clients.map(() => 0)

process.on('message', async ({ seconds }: { seconds: number }) => {
  const started = performance.now()
  let count = 0
  const loop = async (client: pg.Client, index: number): Promise<void> => {
    while (performance.now() - started < seconds * 1000) {
      const position = positions[index] ?? 0
      const group = groups[(position / rowsAStatement) % groups.length] ?? []
      await Promise.all([
        client.query('begin'),
        client.query({ name: 'lock', text: 'select pg_advisory_xact_lock($1::int, $2::int)', values: [7, index] }),
        client.query({ ...insert, values: [index + 1, Date.now(), position, ...group] }),
        client.query('commit'),
      ])
      positions[index] = position + rowsAStatement
      count += rowsAStatement
    }
  }
  await Promise.all(clients.map(loop))
  process.send?.({ rows: count, seconds: (performance.now() - started) / 1000 })
})
process.once('disconnect', () => process.exit())
process.send?.({ rows: 0, seconds: 0 })
