import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { table } from './table.ts'

test('the guide has every resource, and every method beside the usual', () => {
  const page = readFileSync(new URL('../../../docs/client/04-rest-api.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => /^\| `\w+`/.test(line))
  const missing = Object.entries(table).flatMap(([name, spec]) => {
    const row = rows.find((line) => (line.split('|')[1] ?? '').includes(`\`${name}\``))
    if (row === undefined) return [name]
    return Object.keys(spec.extras).flatMap((method) => (row.includes(`\`${method}`) ? [] : [`${name}.${method}`]))
  })
  assert.deepEqual(missing, [])
})
