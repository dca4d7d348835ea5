import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { HubError, problems } from './error.ts'
import { escapePointer, toFaults, toValidationError } from './problem.ts'
import { NewEvent } from './event.ts'

const faultsOf = (schema: z.ZodType, value: unknown, prefix?: string): { pointer: string; detail: string }[] => {
  const { error } = schema.safeParse(value)
  assert.ok(error)
  return toFaults(error, prefix)
}

describe('toFaults', () => {
  it('names every unknown member by itself, where it stands', () => {
    const event = {
      event_type: 'a',
      payload: {},
      event_id: 'x',
      'a/b~c': 1,
      actor: { type: 'user', id: 'x', role: 'x' },
    }
    const faults = faultsOf(NewEvent, event, '/events/3')
    assert.deepEqual(
      faults.toSorted((a, b) => (a.pointer < b.pointer ? -1 : 1)),
      [
        { pointer: '/events/3/actor/role', detail: 'unknown member' },
        { pointer: '/events/3/a~1b~0c', detail: 'unknown member' },
        { pointer: '/events/3/event_id', detail: 'unknown member' },
      ],
    )
  })

  it('finds unknown members that pose as the prototype', () => {
    const event: unknown = JSON.parse('{"event_type":"a","payload":{},"__proto__":{"event_type":"b"},"constructor":1}')
    assert.deepEqual(
      faultsOf(NewEvent, event)
        .map(({ pointer }) => pointer)
        .toSorted(),
      ['/__proto__', '/constructor'],
    )
  })

  it('reports every fault at once', () => {
    const faults = faultsOf(NewEvent, {
      event_type: '',
      payload: null,
      source: 'a\nb',
      subject: 'x'.repeat(256),
      occurred_at: 'yesterday',
      channel: 7,
    })
    assert.deepEqual(faults.map(({ pointer }) => pointer).toSorted(), [
      '/channel',
      '/event_type',
      '/occurred_at',
      '/payload',
      '/source',
      '/subject',
    ])
    for (const { detail } of faults) assert.ok(detail.length > 5)
  })

  it('has the empty pointer for what is no object', () => {
    for (const value of [null, [], 'x', 1])
      assert.deepEqual(
        faultsOf(NewEvent, value).map(({ pointer }) => pointer),
        [''],
      )
  })

  it('cuts names that are as long as a request', () => {
    const [fault] = faultsOf(NewEvent, { event_type: 'a', payload: {}, ['x'.repeat(5000)]: 1 })
    assert.ok(fault && fault.pointer.length <= 101)
  })

  it('is the same text as a pointer would be read', () => {
    assert.equal(escapePointer('a/b'), 'a~1b')
    assert.equal(escapePointer('~1'), '~01')
  })
})

describe('HubError', () => {
  it('has the status of its code, a cause only if there was one, and every fault', () => {
    const cause = new Error('disk')
    const error = new HubError('storage-unavailable', 'the disk is full', { cause, retryAfterSeconds: 1 })
    assert.equal(error.status, 503)
    assert.equal(error.cause, cause)
    assert.equal(error.retryAfterSeconds, 1)
    assert.ok(!('cause' in new HubError('not-found', 'x')))
    const invalid = toValidationError([
      { pointer: '/a', detail: 'must be a number' },
      { pointer: '', detail: 'is empty' },
    ])
    assert.equal(invalid.status, 400)
    assert.equal(invalid.message, '/a: must be a number; is empty')
    assert.equal(invalid.errors?.length, 2)
  })

  it('knows of each problem what to do', () => {
    for (const [code, problem] of Object.entries(problems)) {
      assert.match(code, /^[a-z]+(-[a-z]+)*$/)
      assert.ok(problem.status >= 400 && problem.status < 600 && problem.title && problem.help.length > 20, code)
    }
  })
})
