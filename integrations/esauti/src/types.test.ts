import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BatchOutcome } from './batch.ts'
import type { Api } from './esauti.ts'
import type { Campaign, Contact, List, Submission, Success } from './shapes.ts'

// These are checked by the compiler; a wrong one is an error of `npm run check -- types`.
type Equal<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false
type Answer<Method extends (...args: never[]) => Promise<unknown>> = Awaited<ReturnType<Method>>
const holds = <Claim extends true>(): Claim[] => []

holds<Equal<Answer<Api['contacts']['list']>, List<Contact>>>()
holds<Equal<Answer<Api['contacts']['create']>, Contact>>()
holds<Equal<Answer<Api['contacts']['batch']['create']>, BatchOutcome<Contact>>>()
holds<Equal<Answer<Api['campaigns']['clone']>, Campaign>>()
holds<Equal<Answer<Api['forms']['submissions']>, List<Submission>>>()
holds<Equal<Answer<Api['segments']['addContact']>, Success>>()
holds<Equal<keyof Api['stats'], 'tables' | 'list'>>()
holds<Equal<keyof Api['reports'], 'list' | 'iterate' | 'get'>>()
holds<Equal<'iterate' extends keyof Api['contacts'] ? true : false, true>>()

test('what the table does not have does not compile', () => {
  const refuse = (api: Api): unknown[] => [
    // @ts-expect-error reports are only read
    api.reports.create,
    // @ts-expect-error an email address is a text
    api.contacts.create({ email: 7 }),
    // @ts-expect-error there is no such member in a query
    api.contacts.list({ page: 2 }),
    // @ts-expect-error the contact is missing
    api.segments.addContact(1),
    // @ts-expect-error there is no such resource
    api.leads,
  ]
  assert.equal(typeof refuse, 'function')
})
