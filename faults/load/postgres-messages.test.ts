import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMessageReader, createStatementReader } from './postgres-messages.ts'

function message(type: string, ...texts: string[]): Buffer {
  const body = Buffer.from(texts.map((text) => `${text}\0`).join(''))
  const head = Buffer.alloc(type.length + 4)
  head.write(type)
  head.writeInt32BE(body.length + 4, type.length)
  return Buffer.concat([head, body])
}

test('messages are found wherever the network cuts the stream, the first of a client without a type', () => {
  const bytes = Buffer.concat([message('', 'user'), message('Q', 'begin'), message('S')])
  for (let at = 0; at <= bytes.length; at += 1) {
    const read = createMessageReader(true)
    const messages = [...read(bytes.subarray(0, at)), ...read(bytes.subarray(at))]
    assert.deepEqual(
      messages.map(({ type }) => type),
      ['', 'Q', 'S'],
    )
    assert.deepEqual(Buffer.concat(messages.map((each) => each.bytes)), bytes)
  }
})

test('a prepared statement is known again by its name', () => {
  const read = createMessageReader(false)
  const readStatement = createStatementReader()
  const stream = [
    message('P', 'one', 'select 1'),
    message('P', 'two', 'select 2'),
    message('B', '', 'one'),
    message('S'),
  ]
  const texts = read(Buffer.concat([...stream, message('B', '', 'two'), message('Q', 'commit')])).map(readStatement)
  assert.deepEqual(texts, [undefined, undefined, 'select 1', 'select 1', 'select 2', 'commit'])
})
