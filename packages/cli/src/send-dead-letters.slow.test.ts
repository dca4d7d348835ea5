import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { text } from 'node:stream/consumers'
import { createSluice, type NewBatchEvent } from '@sluice/client'
import { jsonlFile, readDeadLetters } from '@sluice/client/node'
import { createRecordingTransport } from '@sluice/client/testing'

const command = new URL('../bin/sluice.js', import.meta.url).pathname

/** A hub that counts how often each key is stored, and is told of every batch before it answers. */
async function serve(onBatch: (count: number) => void) {
  const stored = new Map<string, number>()
  let batches = 0
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const lines = (await text(request)).trim().split('\n')
    const events = lines.map((line) => JSON.parse(line) as NewBatchEvent)
    const results = events.map(({ idempotency_key: key = '' }, index) => {
      const isNew = !stored.has(key)
      stored.set(key, (stored.get(key) ?? 0) + 1)
      return { index, event_id: `id-${key}`, timestamp: 't', status: isNew ? 'accepted' : 'duplicate' }
    })
    onBatch((batches += 1))
    response.writeHead(200).end(JSON.stringify({ accepted: results.length, failed: 0, results }))
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stored, close }
}

async function readIds(path: string): Promise<{ records: Set<string>; marked: Set<string> }> {
  const records = new Set<string>()
  const marked = new Set<string>()
  for await (const line of readDeadLetters(path)) {
    if (line.kind === 'record') records.add(line.record.dead_letter_id)
    if (line.kind === 'mark') marked.add(line.mark.dead_letter_id)
  }
  return { records, marked }
}

test('killed again and again, with records coming meanwhile, it sends every one and marks each', async (context) => {
  await using cleanup = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'sluice-dead-letters-'))
  cleanup.defer(() => rm(folder, { recursive: true }))
  const path = join(folder, 'letters.jsonl')
  const away = createRecordingTransport()
  const program = createSluice({ transport: away.transport, maxRetries: 0, deadLetter: jsonlFile(path) })
  let given = 0
  const giveUp = async (count: number): Promise<void> => {
    away.disconnect(1)
    const events = Array.from({ length: count }, () => ({
      event_type: 'a',
      payload: { n: (given += 1), text: 'x'.repeat(given % 5000) },
      idempotency_key: `key-${given}`,
    }))
    await assert.rejects(program.events.sendBatch(events))
  }
  let doomed: (() => void) | undefined
  let isCalm = false
  const more: Promise<void>[] = []
  const hub = await serve((batch) => {
    if (isCalm) return
    more.push(giveUp(20))
    // Every third batch: before its answer is out, or a moment after it, while marks are written.
    if (batch % 3 === 0) setImmediate(() => doomed?.())
    if (batch % 5 === 0) doomed?.()
  })
  cleanup.defer(hub.close)
  const run = async (): Promise<number | null> => {
    const env = { PATH: process.env['PATH'], SLUICE_URL: hub.url, SLUICE_API_KEY: 'slk_test' }
    const child = spawn(process.execPath, [command, 'dead-letters', 'send', path], { env, stdio: 'ignore' })
    doomed = () => void child.kill('SIGKILL')
    const [status] = await once(child, 'close')
    await Promise.all(more)
    return status
  }
  await giveUp(3000)
  let kills = 0
  for (let runs = 0; runs < 8; runs += 1) kills += (await run()) === null ? 1 : 0
  assert.ok(kills > 2, `${kills} kills`)
  isCalm = true
  assert.equal(await run(), 0)
  assert.equal(hub.stored.size, given)
  const { records, marked } = await readIds(path)
  assert.equal(records.size, given)
  assert.deepEqual([...marked].toSorted(), [...records].toSorted())
  const requests = [...hub.stored.values()].reduce((sum, times) => sum + times, 0)
  assert.equal(await run(), 0)
  assert.equal(
    [...hub.stored.values()].reduce((sum, times) => sum + times, 0),
    requests,
  )
  context.diagnostic(`${given} records, ${kills} kills, ${requests - given} sent more than once`)
})
