import { DatabaseSync } from 'node:sqlite'
import { partsOf, toEventText } from '../event.ts'

/**
 * node:sqlite alone: inserts the events of the benchmark into the events table that the store has made, 1,000 a transaction,
 * with the writer's settings (WAL, synchronous=full, the same cache) and SQLite's own checkpoints.
 */
const transactionRows = 1000
const db = new DatabaseSync(process.argv[2] ?? '')
db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -32000')
const insert = db.prepare(
  `insert into event_1 (position, accepted_ms, event_type, source, subject, body, notes) values (?, ?, ?, ?, ?, ?, ?)`,
)
const begin = db.prepare('begin immediate')
const commit = db.prepare('commit')
// Made beforehand: only the database is measured.
const events = Array.from({ length: 20_000 }, (_, counter) => ({ ...partsOf(counter), text: toEventText(counter) }))
let position = 0

process.on('message', ({ seconds }: { seconds: number }) => {
  const started = performance.now()
  const first = position
  while (performance.now() - started < seconds * 1000) insertGroup()
  process.send?.({ rows: position - first, seconds: (performance.now() - started) / 1000 })
})
process.once('disconnect', () => process.exit())
process.send?.({ rows: 0, seconds: 0 })

function insertGroup(): void {
  const acceptedMs = Date.now()
  begin.run()
  for (let index = 0; index < transactionRows; index += 1) {
    const event = events[position % events.length]
    position += 1
    if (event) insert.run(position, acceptedMs, event.eventType, event.source, event.subject, event.text, null)
  }
  commit.run()
}
