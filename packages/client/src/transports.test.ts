import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

// These run on undici here, because this is Node. The condition makes the same files run on fetch.
const files = ['request', 'stream', 'client', 'give-back'].map((name) =>
  fileURLToPath(new URL(`${name}.test.ts`, import.meta.url)),
)

test('everything holds on fetch as it does on undici', async () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--conditions=browser', '--test', '--test-reporter=tap', ...files], { env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()))
  const [code] = await once(child, 'close')
  assert.equal(code, 0, output)
  assert.match(output, /^# pass [1-9]\d+$/m)
})
