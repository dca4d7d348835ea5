import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'
import { useHub } from '../../../../../scripts/use-hub.ts'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import type { Manifest } from './manifest.ts'

const { connection, folder } = await useHub()
const postgres = await usePostgres()
const program = new URL('doomed-load.ts', import.meta.url).pathname

type Settings = Readonly<Record<string, string>>
type Rows = readonly Readonly<Record<string, unknown>>[]

type Victim = {
  readonly kind: string
  readonly pages: number
  readonly skip?: string | false
  /** @param place of its own, for each name */
  readonly settings: (place: string) => Settings
  readonly read: (settings: Settings, table: string) => Promise<Rows>
}

const victims: readonly Victim[] = [
  {
    kind: 'sqlite',
    pages: 400,
    settings: (place) => ({ file: join(folder, `${place}.sqlite`) }),
    read: async ({ file = '' }, table) => {
      const database = new DatabaseSync(file, { readOnly: true })
      const rows = database.prepare(`select * from ${table}`).all()
      database.close()
      return rows
    },
  },
  {
    kind: 'postgres',
    pages: 200,
    skip: postgres.skip,
    settings: (place) => ({ url: postgres.url, schema: place }),
    read: async ({ url = '', schema }, table) => {
      const client = new pg.Client(url)
      await client.connect()
      const { rows } = await client.query<Rows[number]>(`select * from ${schema}.${table}`)
      await client.end()
      return rows
    },
  },
  {
    kind: 'ndjson',
    pages: 400,
    settings: (place) => ({ folder: join(folder, place) }),
    read: async ({ folder: place = '' }, table) => {
      const lines = readFileSync(join(place, 'doomed', `${table}.ndjson`), 'utf8').split('\n')
      return lines.slice(0, -1).map((line) => JSON.parse(line) as Rows[number])
    },
  },
  {
    kind: 'parquet',
    pages: 200,
    settings: (place) => ({ folder: join(folder, place) }),
    read: async ({ folder: place = '' }, table) => {
      const path = join(place, 'doomed')
      const manifest = JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')) as Manifest // the destination wrote it
      const [file] = manifest.tables[table]?.files ?? []
      const instance = await DuckDBInstance.create(':memory:')
      const reader = await (await instance.connect()).runAndReadAll(`from '${join(path, file?.name ?? '')}'`)
      return reader.getRowObjectsJson()
    },
  },
  {
    kind: 'hub',
    pages: 200,
    // The address is the place: what is read is told apart by time.
    settings: (place) => ({ url: connection.baseUrl, api_key: connection.apiKey, folder: join(folder, place) }),
    read: readEvents,
  },
]

const seen = new Set<string>()

/** Events that were not read before: those of the run that has just ended. */
async function readEvents(_: Settings, table: string): Promise<Rows> {
  const rows: Rows[number][] = []
  let cursor: string | undefined
  do {
    const query = new URLSearchParams({ event_type: `doomed.${table}.*`, limit: '200', ...(cursor && { cursor }) })
    const headers = { authorization: `Bearer ${connection.apiKey}` }
    const answer = await fetch(`${connection.baseUrl}/v1/events?${query}`, { headers })
    const page = (await answer.json()) as {
      readonly events: readonly { readonly event_id: string; readonly event_type: string; readonly payload: object }[]
      readonly pagination: { readonly next_cursor?: string }
    }
    for (const { event_id: id, event_type: type, payload } of page.events) {
      if (seen.has(id)) continue
      seen.add(id)
      rows.push({ type, ...payload, synced_at: undefined })
    }
    cursor = page.pagination.next_cursor
  } while (cursor)
  return rows
}

/** @returns whether it got to its end */
async function load({ kind, pages }: Victim, settings: Settings, killAt: number): Promise<boolean> {
  const child = spawn(process.execPath, [program, kind, JSON.stringify(settings), String(pages)])
  let said = 0
  let errors = ''
  child.stdout.on('data', (dots: Buffer) => {
    said += dots.length
    if (said >= killAt) child.kill('SIGKILL')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (signal === 'SIGKILL') return false
  assert.equal(code, 0, errors)
  return true
}

// When it was synced is another time each time.
const toLines = (rows: Rows): string[] =>
  rows.map((row) => JSON.stringify({ ...row, _fivetran_synced: undefined })).toSorted((a, b) => (a < b ? -1 : 1))

const minKills = 20

for (const victim of victims) {
  test(
    `${victim.kind}: killed ${minKills} times, and the tables are the same`,
    { skip: victim.skip ?? false },
    async () => {
      const { kind, settings, read } = victim
      const calm = settings(`calm_${kind}`)
      assert.ok(await load(victim, calm, Infinity))
      const expected = { rows: toLines(await read(calm, 'rows')), plain: toLines(await read(calm, 'plain')) }
      assert.ok(expected.plain.length >= victim.pages)
      const killed = settings(`killed_${kind}`)
      let kills = 0
      for (let life = 0; kills < minKills; life += 1) {
        assert.equal(
          await load(victim, killed, 1 + (life % 5)),
          false,
          `it ended after ${kills} kills: give it more pages`,
        )
        kills += 1
      }
      assert.ok(await load(victim, killed, Infinity))
      assert.deepEqual(toLines(await read(killed, 'rows')), expected.rows)
      assert.deepEqual(toLines(await read(killed, 'plain')), expected.plain)
    },
  )
}
