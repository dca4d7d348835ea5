import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Installed } from '../../runner/installed.ts'
import { searchActions } from './search-actions.ts'
import { nameActions } from './tool-names.ts'
import { toObjectSchema } from './tool.ts'

const action = (description = '') => ({ description, input_schema: {}, output_schema: {} })

function install(all: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, Installed> {
  return new Map(
    Object.entries(all).map(([name, actions]) => {
      const config = {
        name,
        version: '1',
        description: '',
        actions: Object.fromEntries(actions.map((one) => [one, action(`does ${one}`)])),
        polling_triggers: {},
        supports_billing: false,
        supports_connected_account: false,
      }
      return [name, { name, folder: '/none', config }]
    }),
  )
}

test('each action has a name of its own, of letters that every client takes, and keeps it', () => {
  const long = 'a'.repeat(90)
  const named = nameActions(
    install({ a_b: ['c'], a: ['b_c', 'd'], 'x.y': ['z'], [long]: ['one', 'two'], search: ['actions'] }),
  )
  assert.deepEqual(
    [...named.values()].map(({ id }) => id).toSorted(),
    ['a.b_c', 'a.d', 'a_b.c', `${long}.one`, `${long}.two`, 'search.actions', 'x.y.z'].toSorted(),
  )
  for (const name of named.keys()) assert.match(name, /^[A-Za-z0-9_-]{1,64}$/)
  assert.equal(named.get('a_d')?.id, 'a.d')
  assert.equal(named.get('x_y_z')?.id, 'x.y.z')
  assert.equal(named.has('a_b_c'), false)
  assert.equal(named.has('search_actions'), false)
  const alone = nameActions(install({ a_b: ['c'], a: ['b_c'] }))
  for (const name of alone.keys()) assert.equal(named.get(name)?.id, alone.get(name)?.id)
})

test('schemas get an object at their root, and properties that every client takes', () => {
  assert.deepEqual(toObjectSchema({}), { type: 'object' })
  assert.deepEqual(toObjectSchema({ type: 'string', properties: { a: true, b: false }, required: ['a', 1] }), {
    type: 'object',
    properties: { a: {}, b: { not: {} } },
    required: ['a'],
  })
})

test('actions are found by the words of their names and descriptions', () => {
  const named = nameActions(install({ slack: ['post_message', 'list_channels'], mail: ['send'] }))
  const find = (inputs: object) =>
    JSON.parse(searchActions({ named, connectionsOf: () => [] }, { ...inputs }).text) as {
      actions: { action: string; connections: null }[]
      found: number
    }
  assert.deepEqual(
    find({ query: 'Slack MESSAGE' }).actions.map((one) => one.action),
    ['slack.post_message', 'slack.list_channels'],
  )
  assert.equal(find({ query: 'nothing' }).found, 0)
  assert.deepEqual([find({ limit: 1 }).actions.length, find({ limit: 1 }).found], [1, 3])
  assert.throws(() => find({ limit: 1000 }), { code: 'validation-error' })
})
