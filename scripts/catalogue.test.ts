import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { catalogueFiles } from './catalogue.ts'

for (const { file, content } of catalogueFiles) {
  test(`${file} is what the catalogue says`, () => {
    assert.equal(readFileSync(file, 'utf8'), content(), 'run node scripts/catalogue.ts')
  })
}
