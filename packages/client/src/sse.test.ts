import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSseParser } from './sse.ts'

const cutAt = (text: string, cuts: readonly number[]): string[] => {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].toSorted((left, right) => left - right)
  return [0, ...places].map((place, index) => text.slice(place, places[index]))
}

test('frames are the same however the text is cut, with every kind of line end', () => {
  const frame = fc.record({ id: fc.nat(), value: fc.jsonValue(), end: fc.constantFrom('\n', '\r\n', '\r') })
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.nat()), (sent, cuts) => {
      const text = sent
        .map(({ id, value, end }) => `id: ${id}${end}event: event${end}data: ${JSON.stringify(value)}${end}${end}`)
        .join('')
      const parse = createSseParser()
      // A CR at the very end could still be half of a CRLF: the next comment shows that it is not.
      const frames = [...cutAt(text, cuts), ': live\n\n']
        .flatMap((piece) => parse(piece))
        .filter(({ data }) => data !== '')
      assert.deepEqual(
        frames.map(({ id, data }) => ({ id: Number(id), value: data })),
        sent.map(({ id, value }) => ({ id, value: JSON.stringify(value) })),
      )
    }),
  )
})

test('ids and the reconnection time hold until others come; comments and unfinished frames carry nothing', () => {
  const parse = createSseParser()
  assert.deepEqual(parse('retry: 1500\nid: a\ndata: one\ndata: two\n\n: ping\n\ndata:three\n\ndata: unfin'), [
    { event: 'message', data: 'one\ntwo', id: 'a', retryMs: 1500 },
    { event: 'message', data: '', id: 'a', retryMs: 1500 },
    { event: 'message', data: 'three', id: 'a', retryMs: 1500 },
  ])
})
