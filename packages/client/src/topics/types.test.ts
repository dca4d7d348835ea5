import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FromSchema } from '@sluice/protocol'
import { TopicDataError, TopicNotFoundError } from './error.ts'
import { withTopics } from './sessions.ts'
import { defineTopics, type DataOf } from './topics.ts'

const topics = defineTopics({
  DefaultCategory: 'crm',
  Topics: [
    {
      Action: 'Created',
      Entity: 'MyEntity',
      Schema: {
        type: 'object',
        required: ['id', 'kind'],
        properties: {
          id: { type: 'string' },
          kind: { enum: ['a', 'b'] },
          note: { type: ['string', 'null'] },
          tags: { type: 'array', items: { type: 'string' } },
          owner: { type: 'object', required: ['age'], properties: { age: { type: 'integer' } } },
        },
      },
    },
    { Action: 'PaidBack', Entity: 'Loan', Schema: { type: 'object', properties: { open: { type: 'boolean' } } } },
    { Action: 'Paid', Entity: 'Invoice', Category: 'billing', Schema: { type: 'object', required: ['total'] } },
  ],
})
const events = withTopics(null, topics, { service: 'tests' })

type Equal<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false
function holds<Claim extends true>(claim?: Claim): void {
  assert.equal(claim, undefined)
}

test('the type of data comes from its schema', () => {
  holds<
    Equal<
      DataOf<typeof topics, 'MyEntity', 'Created'>,
      {
        readonly id: string
        readonly kind: 'a' | 'b'
        readonly note?: string | null | undefined
        readonly tags?: readonly string[] | undefined
        readonly owner?: { readonly age: number } | undefined
      }
    >
  >()
  holds<Equal<DataOf<typeof topics, 'Invoice', 'Paid'>, { readonly total: unknown }>>()
  holds<Equal<FromSchema<{ const: 7 }>, 7>>()
  holds<Equal<FromSchema<{ anyOf: [{ type: 'null' }, { type: 'number' }] }>, number | null>>()
  holds<Equal<FromSchema<{ type: 'array' }>, readonly unknown[]>>()
  holds<Equal<FromSchema<{ $ref: '#' }>, unknown>>()
  holds<
    Equal<
      FromSchema<{
        type: 'object'
        required: ['a']
        properties: { a: { type: 'string' } }
        additionalProperties: true
      }>,
      { readonly [name: string]: unknown; readonly a: string }
    >
  >()
})

test('what fits is taken, in every spelling', () => {
  const session = events.userSession('user-1')
  session.publish({ action: 'Created', entity: 'MyEntity', data: { id: '1', kind: 'a' } })
  session.publish(
    { action: 'Paid', entity: 'Invoice', category: 'billing', data: { total: 1 } },
    { subject: 'invoice-1' },
  )
  session.createdMyEntity({ id: '1', kind: 'b', note: null, tags: ['x'], owner: { age: 3 } })
  session.myEntityCreated({ id: '1', kind: 'b' })
  session.created_my_entity({ id: '1', kind: 'b' })
  session.my_entity_created({ id: '1', kind: 'b' })
  session.paidBackLoan({ open: true })
  session.loan_paid_back({})
  session.in('billing').invoicePaid({ total: 1 })
  session.in('crm').loanPaidBack({})
  assert.deepEqual(
    session.events.map((event) => event.event_type),
    [
      'crm.MyEntityCreated',
      'billing.InvoicePaid',
      'crm.MyEntityCreated',
      'crm.MyEntityCreated',
      'crm.MyEntityCreated',
      'crm.MyEntityCreated',
      'crm.LoanPaidBack',
      'crm.LoanPaidBack',
      'billing.InvoicePaid',
      'crm.LoanPaidBack',
    ],
  )
})

test('what does not fit is refused by the compiler, and by the program', () => {
  const session = events.userSession('user-1')
  const data = { id: '1', kind: 'a' } as const
  // @ts-expect-error -- no such action
  assert.throws(() => session.publish({ action: 'Deleted', entity: 'MyEntity', data }), TopicNotFoundError)
  // @ts-expect-error -- no such entity
  assert.throws(() => session.publish({ action: 'Created', entity: 'Invoice', data }), TopicNotFoundError)
  // @ts-expect-error -- the category is not the default one, and must be named
  assert.throws(() => session.publish({ action: 'Paid', entity: 'Invoice', data: { total: 1 } }), TopicNotFoundError)
  // @ts-expect-error -- id is a number
  assert.throws(() => session.createdMyEntity({ id: 1, kind: 'a' }), TopicDataError)
  // @ts-expect-error -- kind is missing
  assert.throws(() => session.createdMyEntity({ id: '1' }), TopicDataError)
  // @ts-expect-error -- c is none of its values
  assert.throws(() => session.my_entity_created({ id: '1', kind: 'c' }), TopicDataError)
  // @ts-expect-error -- nested, and no integer
  assert.throws(() => session.myEntityCreated({ id: '1', kind: 'a', owner: { age: 'old' } }), TopicDataError)
  // @ts-expect-error -- no such method
  assert.throws(() => session.deletedMyEntity(data), TopicNotFoundError)
  // @ts-expect-error -- another category's method
  assert.throws(() => session.invoicePaid({ total: 1 }), TopicNotFoundError)
  // @ts-expect-error -- no such category
  assert.throws(() => session.in('sales').invoicePaid({ total: 1 }), TopicNotFoundError)
  // @ts-expect-error -- a member that is not defined is most likely misspelt; the schema leaves it open
  session.createdMyEntity({ id: '1', kind: 'a', nope: 'x' })
  // @ts-expect-error -- there is no data
  assert.throws(() => session.createdMyEntity(), TopicDataError)
  assert.equal(session.events.length, 1)
})

test('without a buffer, publishing is waited for', async () => {
  const direct = withTopics(null, topics, { service: 'tests', publishImmediately: true }).serviceSession()
  const answer = direct.loanPaidBack({})
  holds<Equal<Awaited<typeof answer>, import('@sluice/protocol').Accepted | undefined>>()
  assert.equal(await answer, undefined)
  // @ts-expect-error -- refused when it is waited for
  await assert.rejects(direct.loanPaidBack({ open: 'yes' }), TopicDataError)
})
