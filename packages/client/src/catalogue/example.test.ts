import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PayloadOf } from './catalogue.ts'
import type { CanonicalEventType } from './event-type.ts'
import { exampleOf } from './example.ts'

test('an example has every member, the optional ones too, and is nobody else’s', () => {
  const example = exampleOf('order.paid')
  assert.equal(example.amount.currency, 'EUR')
  assert.deepEqual(example.payment_ids, ['pay_900'])
  example.amount.amount = 0
  assert.equal(exampleOf('order.paid').amount.amount, 5400)
})

test('a type that the catalogue does not have is named', () => {
  // What a program in JavaScript may do.
  const name = 'OrderPaid' as CanonicalEventType
  assert.throws(() => exampleOf(name), { name: 'TypeError', message: /"OrderPaid" is not in the catalogue/ })
})

test('TypeScript knows the payload of each type', () => {
  const amount = { amount: 1, currency: 'EUR' }
  const paid: PayloadOf<'order.paid'> = {
    order_id: '1',
    amount,
    payment_method: 'card',
    paid_at: '2026-01-31T12:00:00Z',
  }
  const more: PayloadOf<'order.paid'> & { till: string } = { ...paid, till: '3' }
  // @ts-expect-error a member that is required
  const lacking: PayloadOf<'order.archived'> = { order_id: '1' }
  // @ts-expect-error a word that is not one of the choice
  const other: PayloadOf<'order.paid'> = { ...paid, payment_method: 'shells' }
  // @ts-expect-error a name that is misspelt
  const misspelt: PayloadOf<'order.archived'> = { order_id: '1', archived_at: '', custmer_id: '1' }
  // @ts-expect-error an event type that there is not
  const unknown: PayloadOf<'order.payed'>[] = []
  assert.ok([paid, more, lacking, other, misspelt, unknown].length)
})
