import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ColumnType } from './column-type.ts'
import {
  toSystemColumns,
  type Capabilities,
  type Column,
  type Destination,
  type Row,
  type Table,
} from './destination.ts'
import type { ReadRecord } from './destinations/fold-records.ts'

type TextRow = Readonly<Record<string, string | null>>

/** Somewhere that a destination keeps tables, and a way to look at them from outside. */
export type Place = {
  /** the same tables each time, as a new process would find them */
  readonly open: (connector: string) => Promise<Destination>
  /**
   * The rows of a table, each value as the text that `convert(value, 'STRING')` makes, also those of the system columns
   * `_sluice_deleted` and `_sluice_synced`; null for null. Asked only when nothing has it open. Of records, what they lead to.
   */
  readonly read: (table: string) => Promise<readonly TextRow[]>
  /** all records of a table, as they came; of destinations without `merge` */
  readonly readRecords?: (table: string) => Promise<readonly ReadRecord[]>
}

/** The system columns that places are to open destinations with. */
export const contractSystem = toSystemColumns('sluice')

export const syncedAt = '2026-01-01T00:00:00Z'
export const laterAt = '2026-01-02T00:00:00Z'

/** What must hold at any place, by what it is about. */
export type Cases = Readonly<Record<string, (place: Place) => Promise<void>>>

export const orders: Table = {
  name: 'orders',
  key: ['id'],
  columns: [
    { name: 'id', type: 'LONG' },
    { name: 'name', type: 'STRING' },
    { name: 'total', type: 'DOUBLE' },
  ],
}

/** Opens, works, and closes again. */
export async function using(place: Place, work: (destination: Destination) => Promise<void>): Promise<void> {
  await using destination = await place.open('shop')
  await work(destination)
}

/** Makes a table with rows, and commits them. */
export async function fill(place: Place, table: Table, upserts: readonly Row[]): Promise<void> {
  await using(place, async (destination) => {
    await destination.createTable(table)
    await destination.write({ table, syncedAt, upserts, updates: [], deletes: [] })
    await destination.commit('{"filled":true}')
  })
}

/** Rows by their first column, without system columns: in that order. */
export async function rowsOf(place: Place, table: Table): Promise<(string | null)[][]> {
  const rows = await place.read(table.name)
  return rows
    .map((row) => table.columns.map(({ name }) => row[name] ?? null))
    .toSorted((left, right) => String(left[0]).localeCompare(String(right[0]), 'en', { numeric: true }))
}

/** First columns of the rows that are marked as deleted. */
export async function deletedOf(place: Place, table: Table): Promise<(string | null)[]> {
  const [first = { name: '' }] = table.columns
  const rows = await place.read(table.name)
  return rows
    .filter((row) => row[contractSystem.deleted] === 'true')
    .map((row) => row[first.name] ?? null)
    .toSorted((left, right) => String(left).localeCompare(String(right), 'en', { numeric: true }))
}

const awkward = `it's "quoted", \\ with\nlines\tand 漢字 🙂`

/** Each type, with a value as it comes and the text that it must be afterwards. */
const samples: readonly (readonly [ColumnType, Row[number], string])[] = [
  ['BOOLEAN', false, 'false'],
  ['SHORT', -32_768, '-32768'],
  ['INT', 2_147_483_647, '2147483647'],
  ['LONG', 9_223_372_036_854_775_807n, '9223372036854775807'],
  ['FLOAT', 0.5, '0.5'],
  ['DOUBLE', 0.1, '0.1'],
  ['DECIMAL(38,9)', '12345678901234567890123456789.123456789', '12345678901234567890123456789.123456789'],
  ['NAIVE_DATE', '0001-02-03', '0001-02-03'],
  ['NAIVE_DATETIME', '2026-01-31T23:59:59.123456', '2026-01-31T23:59:59.123456'],
  ['UTC_DATETIME', '2026-01-31T23:59:59.5Z', '2026-01-31T23:59:59.5Z'],
  ['BINARY', Uint8Array.of(0, 255, 10), 'AP8K'],
  ['XML', '<a>&amp;</a>', '<a>&amp;</a>'],
  ['STRING', awkward, awkward],
  ['JSON', '{"a":[1,"x",null],"big":12345678901234567890}', '{"a":[1,"x",null],"big":12345678901234567890}'],
]

const columnsOf = (values: readonly (readonly [ColumnType, ...unknown[]])[]): Column[] =>
  values.map(([type], index) => ({ name: `c${index}`, type }))

function toSections({ evolution, ...can }: Capabilities): string[] {
  const names = Object.entries(can).flatMap(([name, isAble]) => (isAble ? [name] : []))
  return [...names, ...(evolution === 'none' ? [] : ['evolution'])].toSorted()
}

const everyCases: Cases = {
  'what is not there is not there': async (place) => {
    await using(place, async (destination) => {
      assert.equal(await destination.readState(), undefined)
      assert.equal(await destination.readColumns('orders'), undefined)
      assert.equal(await destination.countRows('orders'), 0)
    })
  },

  'each type comes back as it went in': async (place) => {
    const table: Table = { name: 'types', key: ['c1'], columns: columnsOf(samples) }
    await fill(place, table, [samples.map(([, value]) => value)])
    assert.deepEqual(await rowsOf(place, table), [samples.map(([, , text]) => text)])
    await using(place, async (destination) => {
      const columns = await destination.readColumns('types')
      // XML is text at most destinations.
      const expected = table.columns.map((column) => (column.type === 'XML' ? { ...column, type: 'STRING' } : column))
      const found = columns?.map((column) => (column.type === 'XML' ? { ...column, type: 'STRING' } : column))
      assert.deepEqual(found, expected)
      assert.equal(await destination.countRows('types'), 1)
    })
  },

  'names are quoted, whatever they are': async (place) => {
    const names = ['order', 'group', 'Select', 'with space', 'q"uote', "apo'strophe", 'ünï', '1st']
    const columns = names.map((each): Column => ({ name: each, type: 'STRING' }))
    const table: Table = { name: 'table', key: ['order'], columns }
    await fill(place, table, [names])
    assert.deepEqual(await rowsOf(place, table), [names])
  },

  'a row that is shorter ends with nulls, and 1,000 columns are none too many': async (place) => {
    const columns = Array.from({ length: 1000 }, (_, index): Column => ({ name: `c${index}`, type: 'LONG' }))
    const table: Table = { name: 'wide', key: ['c0'], columns }
    await fill(place, table, [[1, 2]])
    const [row] = await rowsOf(place, table)
    assert.deepEqual(row, ['1', '2', ...Array.from({ length: 998 }, () => null)])
  },

  'the state is that of the last commit, for each connector its own': async (place) => {
    await fill(place, orders, [[1, 'a', 1.5]])
    await using(place, async (destination) => {
      assert.equal(await destination.readState(), '{"filled":true}')
      await destination.commit(`{"text":"it's"}`)
    })
    await using(place, async (destination) => assert.equal(await destination.readState(), `{"text":"it's"}`))
    await using other = await place.open('another')
    assert.equal(await other.readState(), undefined)
  },

  'a state of 10 MB comes back': async (place) => {
    const state = JSON.stringify({ text: `it's "${'ü'.repeat(5 * 1024 * 1024)}` })
    await using(place, (destination) => destination.commit(state))
    await using(place, async (destination) => assert.ok((await destination.readState()) === state))
  },

  'rows know when they were synced, and are not deleted': async (place) => {
    await fill(place, orders, [[1, 'a', 1.5]])
    const [row] = await place.read('orders')
    assert.equal(row?.[contractSystem.synced], '2026-01-01T00:00:00Z')
    assert.equal(row?.[contractSystem.deleted], 'false')
  },
}

/**
 * The suite that every destination passes: what all of them must do, and a section for each capability that it declares.
 *
 * @param sections of destination-sections.ts, by capability
 * @example destinationContract('DuckDB', openPlace, { merge: mergeCases, … })
 */
export function destinationContract(
  name: string,
  openPlace: (context: TestContext) => Promise<Place>,
  sections: Readonly<Record<string, Cases>>,
): void {
  const declared: Cases = {
    'its sections are those of what it can': (place) =>
      using(place, async ({ capabilities }) =>
        assert.deepEqual(Object.keys(sections).toSorted(), toSections(capabilities)),
      ),
  }
  for (const [section, cases] of Object.entries({ 'every one': { ...everyCases, ...declared }, ...sections }))
    for (const [what, run] of Object.entries(cases))
      void test(`${name}, ${section}: ${what}`, async (context) => run(await openPlace(context)))
}
