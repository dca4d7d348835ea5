import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import type { ChildSetup, ToChild } from './messages.ts'
import { sdkModules } from './readable.ts'

const config = {
  name: 'Patient',
  version: '1.0.0',
  description: 'waits for ever',
  actions: { wait: { description: 'wait', input_schema: { type: 'object' }, output_schema: {} } },
}
const handlers = `import { Integration } from '@sluice/sdk/integration'
const integration = await Integration.load()
integration.action('wait', () => {
  console.log('waiting')
  setInterval(() => {}, 1000)
  return new Promise(() => {})
})
export default integration
`

test('a hub that is killed leaves no process behind, though a handler waits for ever', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-child-'))
  try {
    await writeFile(join(folder, 'config.json'), JSON.stringify(config))
    await writeFile(join(folder, 'integration.mjs'), handlers)
    const setup: ChildSetup = { folder, allowCidr: [], sdk: sdkModules() }
    const file = new URL('child.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [file, JSON.stringify(setup)], { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] })
    const exit = once(child, 'exit')
    await once(child.stdio[3] as Readable, 'data') // it says that it is ready
    const call = { kind: 'action', name: 'wait', inputs: {} } as const
    const order: ToChild = { kind: 'run', id: 1, order: { call, auth: {}, metadata: {}, asks: false, dryRun: false } }
    child.stdin?.write(`${JSON.stringify(order)}\n`)
    await once(child.stdio[1] as Readable, 'data')
    // What the system does with the pipes of a process that has ended.
    child.stdin?.end()
    assert.deepEqual(await exit, [0, null])
  } finally {
    await rm(folder, { recursive: true })
  }
})
