import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { cutPower, parseTrace } from './disk-trace.ts'
import { createRandom } from './random.ts'

const hex = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
const on = (fd: number, path: string): string => `${fd}<${hex(path)}>`
const write = (text: string, at: number): string =>
  `pwrite64(${on(7, '/data/db')}, "${hex(text)}", ${text.length}, ${at}`

function trace(...lines: string[]): ReturnType<typeof parseTrace> {
  return parseTrace(`${lines.join('\n')}\n`, (name) => name === 'db')
}

/** What a file that held "0000" holds after the cut. */
function leftOf(recorded: ReturnType<typeof parseTrace>, survival: number): { thrownAway: number; content: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-disk-trace-'))
  try {
    writeFileSync(join(folder, 'db'), '0000')
    const thrownAway = cutPower({ folder, trace: recorded, random: createRandom(1), survival })
    return { thrownAway, content: readFileSync(join(folder, 'db'), 'latin1') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('what was synced stays, what came later goes', () => {
  const recorded = trace(
    `12  ${write('ab', 0)}) = 2`,
    `12  fsync(${on(7, '/data/db')}) = 0`,
    `12  ${write('cd', 2)}) = 2`,
  )
  assert.deepEqual(leftOf(recorded, 0), { thrownAway: 1, content: 'ab00' })
})

test('a sync covers only what was written before it began, and only once it has come back', () => {
  const begun = [
    `12  ${write('ab', 0)}) = 2`,
    `12  fsync(${on(7, '/data/db')} <unfinished ...>`,
    `13  ${write('cd', 2)} <unfinished ...>`,
    '13  <... pwrite64 resumed>) = 2',
  ]
  assert.deepEqual(leftOf(trace(...begun), 0), { thrownAway: 2, content: '0000' })
  assert.deepEqual(leftOf(trace(...begun, '12  <... fsync resumed>)      = 0'), 0), { thrownAway: 1, content: 'ab00' })
})

test('a sync of another file, or one that failed, covers nothing', () => {
  const recorded = trace(
    `12  ${write('ab', 0)}) = 2`,
    `12  fsync(${on(8, '/data/other')}) = 0`,
    `12  fdatasync(${on(7, '/data/db')}) = -1 EIO (Input/output error)`,
  )
  assert.deepEqual(leftOf(recorded, 0), { thrownAway: 1, content: '0000' })
})

test('truncations are changes like writes, and a file may be longer than before', () => {
  const recorded = trace(
    `12  ftruncate(${on(7, '/data/db')}, 1) = 0`,
    `12  ${write('xy', 3)}) = 2`,
    `12  fsync(${on(7, '/data/db')}) = 0`,
  )
  assert.deepEqual(leftOf(recorded, 0), { thrownAway: 0, content: '0\0\0xy' })
})

test('what was not synced may have reached the disk all the same', () => {
  const { thrownAway, content } = leftOf(trace(`12  ${write('ab', 0)}) = 2`), 1)
  assert.equal(thrownAway, 0)
  assert.ok(content === 'ab00' || content === '0000')
})
