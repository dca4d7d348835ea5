import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readLines } from './read-lines.ts'

async function read(chunks: readonly Buffer[]): Promise<{ lines: string[]; bytes: number }> {
  const lines: string[] = []
  let bytes = 0
  const input = (async function* () {
    yield* chunks
  })()
  for await (const line of readLines(input, (more) => (bytes += more))) lines.push(line)
  return { lines, bytes }
}

test('lines are the same wherever the input is cut, and end at LF alone', async () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'ü', '😀', '\u2028', '\u2029', '\u0085', '{', ' ') })
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.array(fc.nat(60)), async (lines, end, cuts) => {
      const bytes = Buffer.from(lines.map((text) => text + end).join(''))
      const places = [
        0,
        ...cuts.filter((at) => at < bytes.length).toSorted((left, right) => left - right),
        bytes.length,
      ]
      const chunks = places.slice(1).map((to, at) => bytes.subarray(places[at], to))
      assert.deepEqual(await read(chunks), { lines, bytes: bytes.length })
    }),
  )
  assert.deepEqual((await read([Buffer.from('a\nb')])).lines, ['a', 'b'])
})
