import { DatabaseSync } from 'node:sqlite'

/**
 * node:sqlite alone on the hub's own file: reads 100 events after a cursor and stores the cursor, one commit each, with
 * synchronous=full. Begins anew at the end of the log.
 */
const db = new DatabaseSync(process.argv[2] ?? '', { timeout: 10_000 })
db.exec('pragma synchronous = full; pragma cache_size = -32000')
db.exec('create table if not exists bench_cursor (name text primary key, next integer not null) without rowid')
db.exec(`insert or replace into bench_cursor (name, next) values ('bare', 0)`)
const read = db.prepare(
  `select position, accepted_ms, event_type, body from event_1 where position > ? order by position limit 100`,
)
const acknowledge = db.prepare(`update bench_cursor set next = ? where name = 'bare'`)
let next = 0

process.on('message', ({ seconds }: { seconds: number }) => {
  const started = performance.now()
  let rows = 0
  while (performance.now() - started < seconds * 1000) {
    const found = read.all(next)
    next = Number(found.at(-1)?.['position'] ?? 0)
    acknowledge.run(next)
    rows += found.length
  }
  process.send?.({ rows, seconds: (performance.now() - started) / 1000 })
})
process.once('disconnect', () => process.exit())
process.send?.({ rows: 0, seconds: 0 })
