import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { contractSystem } from '../destination-contract.ts'
import { toDestination } from './open.ts'

test('settings are checked before anything is opened', () => {
  const cases = [
    [null, /must be an object with url, schema, nul/],
    [[], /must be an object/],
    [{}, /need "url", a text/],
    [{ url: 5 }, /need "url", a text/],
    [{ url: 'postgres://h/d', host: 'h' }, /have no "host"; there are url, schema, nul/],
    [{ url: 'postgres://h/d', nul: 'keep' }, /have "nul" as refuse or replace only/],
    [{ url: 'postgres://h/d', constructor: 'x' }, /have no "constructor"/],
  ] as const
  for (const [settings, message] of cases)
    assert.throws(() => toDestination('postgres', settings, 'files'), { kind: 'configuration', message })
})

test('files lie in the folder unless a place is named', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-destination-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const options = { connector: 'shop', system: contractSystem }
  await using inFolder = await toDestination('sqlite', {}, folder)(options)
  assert.equal(inFolder.name, `SQLite ${join(folder, 'warehouse.sqlite')}`)
  const file = join(folder, 'mine.sqlite')
  await using named = await toDestination('sqlite', { file }, folder)(options)
  assert.equal(named.name, `SQLite ${file}`)
})
