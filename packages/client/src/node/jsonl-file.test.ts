import assert from 'node:assert/strict'
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createSluice } from '../client.ts'
import type { DeadLetterRecord } from '../dead-letter.ts'
import { createRecordingTransport } from '../testing/recording-transport.ts'
import { jsonlFile, type JsonlFile } from './jsonl-file.ts'
import { readDeadLetters, type DeadLetterLine } from './read-dead-letters.ts'

async function openFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-jsonl-'))
  context.after(() => rm(folder, { recursive: true }))
  return folder
}

function toRecord(id: string, payload: Record<string, unknown> = {}): DeadLetterRecord {
  return {
    dead_letter_id: id,
    at: '2026-01-31T12:00:00.000Z',
    url: 'http://127.0.0.1:8000/v1/events',
    event: { event_type: 'a', payload },
    idempotency_key: `key-${id}`,
    attempts: 1,
    status: null,
    error: { code: 'no-answer', message: 'no' },
  }
}

async function read(path: string): Promise<DeadLetterLine[]> {
  const lines: DeadLetterLine[] = []
  for await (const line of readDeadLetters(path)) lines.push(line)
  return lines
}

const toIds = (lines: readonly DeadLetterLine[]): string[] =>
  lines.map((line) => (line.kind === 'record' ? line.record.dead_letter_id : line.kind))

test('what the client gives up is in the file before the call rejects', async (context) => {
  const path = join(await openFolder(context), 'a/b/dead-letters.jsonl')
  const hub = createRecordingTransport()
  const sluice = createSluice({ transport: hub.transport, maxRetries: 0, deadLetter: jsonlFile(path) })
  hub.disconnect(2)
  await assert.rejects(sluice.events.send('a', { text: 'ü\u2028\n"' }, { idempotencyKey: 'mine' }))
  const [line] = await read(path)
  assert.ok(line?.kind === 'record')
  assert.deepEqual(line.record.event, { event_type: 'a', payload: { text: 'ü\u2028\n"' } })
  assert.equal(line.record.idempotency_key, 'mine')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await rename(path, `${path}.1`)
  await assert.rejects(sluice.events.send('b', {}))
  assert.deepEqual([(await read(path)).length, (await read(`${path}.1`)).length], [1, 1])
})

test('lines of many writers stand beside each other, whole and in order', async (context) => {
  const path = join(await openFolder(context), 'letters.jsonl')
  const writers = [jsonlFile(path), jsonlFile(path), jsonlFile(path)] as const
  const toWriter = (n: number): JsonlFile => writers[n % 3] ?? writers[0]
  const ids = Array.from({ length: 300 }, (_, n) => String(n))
  await Promise.all(ids.map((id, n) => toWriter(n).write(toRecord(id, { text: 'x'.repeat(n * 100) }))))
  const found = toIds(await read(path))
  assert.deepEqual(found.toSorted(), ids.toSorted())
  for (const writer of [0, 1, 2]) {
    const own = found.filter((id) => Number(id) % 3 === writer)
    assert.deepEqual(
      own,
      own.toSorted((left, right) => Number(left) - Number(right)),
    )
  }
})

test('a record that cannot be written is refused alone', async (context) => {
  const folder = await openFolder(context)
  const file = jsonlFile(join(folder, 'letters.jsonl'))
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const written = file.write(toRecord('good'))
  await assert.rejects(file.write(toRecord('bad', circular)), TypeError)
  await written
  assert.deepEqual(toIds(await read(file.path)), ['good'])
  await mkdir(join(folder, 'folder'))
  await assert.rejects(jsonlFile(join(folder, 'folder')).write(toRecord('x')), { code: 'EISDIR' })
})

test('a torn line costs only itself, wherever it was cut and whatever comes behind it', async (context) => {
  const path = join(await openFolder(context), 'letters.jsonl')
  const text = `${JSON.stringify(toRecord('torn', { deep: { dead_letter_id: 'x', event: 1, idempotency_key: '' }, s: '{"dead_letter_id":"' }))}\n`
  for (let cut = 1; cut < text.length - 1; cut += 3) {
    await writeFile(path, `${JSON.stringify(toRecord('first'))}\n${text.slice(0, cut)}`)
    // Whoever writes next has seen the torn line, or has looked at the end of the file just before it was torn.
    if (cut % 10 === 1) await jsonlFile(path).write(toRecord('next'))
    else await appendFile(path, `${JSON.stringify(toRecord('next'))}\n`)
    assert.deepEqual(toIds(await read(path)), ['first', 'torn', 'next'])
  }
  await writeFile(path, text.slice(0, -1))
  assert.equal((await read(path))[0]?.kind, 'record')
})

test('marks, empty lines and foreign lines are told apart', async (context) => {
  const path = join(await openFolder(context), 'letters.jsonl')
  await jsonlFile(path).write({ dead_letter_id: 'a', sent_at: 't', event_id: 'e', status: 'accepted' })
  await appendFile(path, '\n\r\n[]\n{"dead_letter_id":"a"}\n')
  assert.deepEqual(
    (await read(path)).map(({ kind, number }) => [kind, number]),
    [
      ['mark', 1],
      ['torn', 4],
      ['torn', 5],
    ],
  )
  assert.match(await readFile(path, 'utf8'), /^\{"dead_letter_id":"a","sent_at":"t"/)
  await assert.rejects(read(`${path}.none`), { code: 'ENOENT' })
})
