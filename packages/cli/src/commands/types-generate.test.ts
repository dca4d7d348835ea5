import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { topicsFromFile } from '@sluice/client/node'
import { parseTopics } from '@sluice/client/topics'
import { toTypeScript } from './types-generate.ts'

const root = new URL('../../../../', import.meta.url).pathname
const sluice = join(root, 'packages/cli/bin/sluice.js')
const folder = mkdtempSync(join(tmpdir(), 'sluice-types-'))
after(() => rmSync(folder, { recursive: true }))

function generate(args: readonly string[], input?: string) {
  return spawnSync(process.execPath, [sluice, 'types', 'generate', ...args], { cwd: folder, encoding: 'utf8', input })
}

test('YAML from stdin goes to stdout, as it is or in JSON', () => {
  const yaml = 'DefaultCategory: a\nTopics:\n  - {Action: Done, Entity: Work, Schema: {}}\n'
  const { stdout } = generate(['-'], yaml)
  assert.match(stdout, /^\/\/ Written by: sluice types generate stdin\..*export type WorkDone = /s)
  const json = JSON.parse(generate(['-', '--json'], yaml).stdout)
  assert.deepEqual(json, { topics: 1, code: stdout })
})

test('a file with faults says each by line and writes nothing; one that is not there is wrong usage', () => {
  const bad = generate(
    ['-', '--out', 'never.ts'],
    'DefaultCategory: a\nTopics:\n  - Action: done\n    Schema: {type: 7}\n',
  )
  assert.equal(bad.status, 1)
  assert.match(bad.stderr, /line 3, .*Entity is missing/)
  assert.match(bad.stderr, /line 4, .*must be one of object/)
  assert.throws(() => readFileSync(join(folder, 'never.ts')), { code: 'ENOENT' })
  assert.equal(generate(['missing.yaml']).status, 2)
})

test('a member named __proto__ stays a member', () => {
  const schema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}')
  const topics = parseTopics({ Topics: [{ Action: 'Done', Entity: 'Work', Category: 'a', Schema: schema }] })
  assert.match(toTypeScript(topics, 'x'), /\["__proto__"\]: \{/)
})

test('the example has the types of its topic file', async () => {
  const { definitions } = await import(join(root, 'examples/topics.ts'))
  const { list } = parseTopics(definitions)
  const fromFile = await topicsFromFile(join(root, 'examples/topics.yaml'))
  // Their validators are left out of it.
  assert.equal(JSON.stringify(list), JSON.stringify(fromFile.list))
})
