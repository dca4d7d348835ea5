import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NewEvent } from '@sluice/protocol'
import { counterOf, eventBytes, toEventText } from './event.ts'

test('events are valid, all of one length, each with its own number', () => {
  for (let counter = 0; counter < 200; counter += 1) {
    const text = toEventText(counter * 1_000_003)
    assert.equal(Buffer.byteLength(text), eventBytes)
    assert.equal(counterOf(text), counter * 1_000_003)
    assert.ok(NewEvent.safeParse(JSON.parse(text)).success)
  }
})

test('neighbours differ in more than their number', () => {
  const texts = Array.from({ length: 64 }, (_, counter) => toEventText(counter).replace(/"n":"\d+"/, ''))
  assert.equal(new Set(texts).size, texts.length)
})
