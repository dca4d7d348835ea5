import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'

test('migrations are numbered without a gap: a store counts them, and one that comes between others would never run', () => {
  for (const store of ['sqlite', 'postgres']) {
    const files = readdirSync(new URL(`${store}/migrations/`, import.meta.url)).toSorted()
    const expected = files.map((_file, index) => String(index + 1).padStart(4, '0'))
    assert.deepEqual(
      files.map((file) => file.slice(0, 4)),
      expected,
      store,
    )
  }
})
