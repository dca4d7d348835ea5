import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createArrival } from './arrival.ts'

test('more than 64 KiB wait for nobody: the sender is held until the reader wants more', async () => {
  let resumed = 0
  const arrival = createArrival(
    () => (resumed += 1),
    () => undefined,
  )
  const reader = arrival.stream().getReader()
  assert.equal(arrival.add(Buffer.alloc(40_000)), true)
  assert.equal(arrival.add(Buffer.alloc(40_000)), false)
  const before = resumed
  assert.equal((await reader.read()).value?.byteLength, 40_000)
  assert.ok(resumed > before)
  arrival.end()
  assert.equal((await reader.read()).value?.byteLength, 40_000)
  assert.equal((await reader.read()).done, true)
})

test('what came before it was asked for is not lost, and a failure is told after it', async () => {
  const arrival = createArrival(
    () => undefined,
    () => undefined,
  )
  arrival.add(Buffer.from('early'))
  const reader = arrival.stream().getReader()
  assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'early')
  arrival.end({ cause: new Error('cut') })
  arrival.end()
  await assert.rejects(reader.read(), { message: 'cut' })
})
