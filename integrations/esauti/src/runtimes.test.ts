import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const folder = import.meta.dirname

test('nothing but the instance for tests needs Node', () => {
  const files = globSync('{*,table/*}.ts', { cwd: folder }).filter((file) => !/(^testing|\.test)\.ts$/.test(file))
  assert.ok(files.length > 10)
  const needy = files.filter((file) =>
    /from 'node:|\b(process|Buffer)\./.test(readFileSync(`${folder}/${file}`, 'utf8')),
  )
  assert.deepEqual(needy, [])
})

test('everything holds on fetch as it does on undici', async () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const files = ['esauti', 'oauth', 'events'].map((name) => `${folder}/${name}.test.ts`)
  const args = ['--conditions=browser', '--test', '--test-reporter=tap', ...files]
  const child = spawn(process.execPath, args, { env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()))
  const [code] = await once(child, 'close')
  assert.equal(code, 0, output)
  assert.match(output, /^# pass [1-9]\d+$/m)
})
