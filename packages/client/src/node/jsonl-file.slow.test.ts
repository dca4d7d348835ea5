import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readDeadLetters } from './read-dead-letters.ts'

const writer = fileURLToPath(new URL('doomed-writer.ts', import.meta.url))

/** Runs until it has said that so many records are on disk, is killed in the middle of the next, and tells which it had said. */
async function runAndKill(path: string, name: string, afterRecords: number): Promise<string[]> {
  const child = spawn(process.execPath, [writer, path, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: string[] = []
  createInterface({ input: child.stdout }).on('line', (id) => {
    said.push(id)
    if (said.length === afterRecords) child.kill('SIGKILL')
  })
  await once(child, 'close')
  // The last word may have been cut off.
  return said.filter((id) => /^\d+-\d-\d+$/.test(id))
}

test('writers that are killed lose nothing that they said was on disk, and spoil nothing of others', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-jsonl-'))
  context.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'letters.jsonl')
  const said: string[] = []
  for (let round = 0; round < 6; round += 1) {
    const kills = [0, 1, 2].map((nth) => runAndKill(path, `${round * 3 + nth}`, 5 + ((round * 31 + nth * 17) % 60)))
    said.push(...(await Promise.all(kills)).flat())
  }
  const found = new Set<string>()
  let torn = 0
  for await (const line of readDeadLetters(path)) {
    if (line.kind === 'torn') torn += 1
    if (line.kind !== 'record') continue
    assert.equal(found.has(line.record.dead_letter_id), false, 'a record stands there twice')
    found.add(line.record.dead_letter_id)
  }
  assert.deepEqual(
    said.filter((id) => !found.has(id)),
    [],
  )
  assert.ok(said.length > 100 && torn <= 18, `${said.length} records, ${torn} torn lines`)
  context.diagnostic(`${said.length} records said to be on disk, ${found.size} found, ${torn} torn lines`)
})
