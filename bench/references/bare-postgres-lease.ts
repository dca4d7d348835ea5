import pg from 'pg'

/**
 * The driver alone on the hub's own table: reads 100 events after a cursor and stores the cursor, each committed by itself,
 * both prepared. Every cursor has a connection, and begins anew at the end of the log.
 *
 * @arguments the database's address, the number of cursors
 */
const [connectionString = '', cursors = '1'] = process.argv.slice(2)
const int8 = 20
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
}
const names = Array.from({ length: Number(cursors) }, (_, index) => `bare-${cursors}-${index}`)
const open = async (): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString, types })
  await client.connect()
  return client
}
const admin = await open()
await admin.query(
  'create table if not exists bench_cursor (name text primary key, next bigint not null) with (fillfactor = 10)',
)
for (const name of names) await admin.query('insert into bench_cursor (name, next) values ($1, 0)', [name])
await admin.end()
const consumers = await Promise.all(names.map(async (name) => ({ name, client: await open(), next: 0 })))
const read = `select position, accepted_ms as "acceptedMs", event_type as "eventType", source, subject, body, notes from event
  where workspace_id = 1 and position > $1 order by position limit 100`

process.on('message', async ({ seconds }: { seconds: number }) => {
  const started = performance.now()
  let rows = 0
  const loop = async (consumer: (typeof consumers)[number]): Promise<void> => {
    const { client, name } = consumer
    while (performance.now() - started < seconds * 1000) {
      const found = await client.query<{ position: number }>({ name: 'read', text: read, values: [consumer.next] })
      consumer.next = found.rows.at(-1)?.position ?? 0
      const text = 'update bench_cursor set next = $1 where name = $2'
      await client.query({ name: 'acknowledge', text, values: [consumer.next, name] })
      rows += found.rows.length
    }
  }
  await Promise.all(consumers.map(loop))
  process.send?.({ rows, seconds: (performance.now() - started) / 1000 })
})
process.once('disconnect', () => process.exit())
process.send?.({ rows: 0, seconds: 0 })
