import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import {
  ActionError,
  ConfigurationError,
  Integration,
  createContext,
  defineIntegration,
  type CredentialsOf,
  type InputsOf,
  type OutputOf,
} from '../integration.ts'

const source = {
  name: 'Users',
  version: '1.0.0',
  description: 'for tests',
  auth: {
    type: 'custom',
    fields: { type: 'object', required: ['api_key'], properties: { api_key: { type: 'string' } } },
  },
  actions: {
    get_user: {
      description: 'One user',
      input_schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, full: { type: 'boolean' }, order: { enum: ['up', 'down'] } },
      },
      output_schema: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    },
    list_tags: {
      description: 'Tags',
      input_schema: { type: 'object' },
      output_schema: { type: 'array', items: { type: 'string' } },
    },
  },
  polling_triggers: {
    new_user: {
      description: 'Users',
      polling_interval: '5m',
      input_schema: { type: 'object', properties: { team: { type: ['string', 'null'] } } },
      output_schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'integer' } },
        additionalProperties: false,
      },
    },
  },
} as const
type Source = typeof source

type Equal<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false
function holds<Claim extends true>(claim?: Claim): void {
  assert.equal(claim, undefined)
}

test('types come from the schemas', () => {
  holds<
    Equal<
      InputsOf<Source, 'get_user'>,
      { readonly id: string; readonly full?: boolean | undefined; readonly order?: 'up' | 'down' | undefined }
    >
  >()
  holds<Equal<OutputOf<Source, 'list_tags'>, readonly string[]>>()
  holds<Equal<OutputOf<Source, 'new_user', 'polling_triggers'>, { readonly id: number }>>()
  holds<Equal<CredentialsOf<Source>, { readonly api_key: string }>>()
})

test('credentials are those of one of the methods', () => {
  const fields = { type: 'object', required: ['key'], properties: { key: { type: 'string' } } } as const
  const several = {
    token: { type: 'bearer' },
    app: { type: 'oauth2', provider: 'github' },
    old: { type: 'custom', fields },
  } as const
  type Credentials = CredentialsOf<{ auth: { methods: typeof several } }>
  const sent = (credentials: Credentials): string => {
    // @ts-expect-error -- not every method has it
    credentials.key satisfies string
    const { key, token = key, access_token: granted = token } = credentials
    return String(granted)
  }
  assert.deepEqual([sent({ access_token: 'a' }), sent({ key: 'k' }), sent({ token: 't' })], ['a', 'k', 't'])
})

test('members that a vendor adds can be read, as unknown', () => {
  const read = (user: OutputOf<Source, 'get_user'>): [string, unknown] => [user.name, user['since']]
  assert.deepEqual(read({ name: 'Ada', since: 1815 }), ['Ada', 1815])
})

describe('handlers that the compiler checks', () => {
  it('run as others do', async () => {
    const integration = defineIntegration(source)
    integration.action('get_user', async ({ id, full = false }, { auth }) => {
      if (id === '0') return new ActionError('no such user')
      return { data: { name: `${id} ${full} ${auth.credentials.api_key.length}`, also: 'kept' }, cost_usd: 0.1 }
    })
    integration.pollingTrigger('new_user', ({ team }) => [{ id: 1, data: { id: team?.length ?? 0 } }])
    integration.connectedAccount(({ auth }) => ({ username: auth.credentials.api_key }))
    const context = createContext({ auth: { api_key: 'key' } })
    assert.deepEqual((await integration.executeAction('get_user', { id: '7' }, context)).result, {
      data: { name: '7 false 3', also: 'kept' },
      cost_usd: 0.1,
    })
    assert.equal((await integration.executeAction('get_user', { id: '0' }, context)).type, 'action_error')
    const { result } = await integration.executePollingTrigger('new_user', { team: 'red' }, context)
    assert.deepEqual('records' in result && result.records, [{ id: 1, data: { id: 3 } }])
    assert.equal((await integration.getConnectedAccount(context)).type, 'connected_account')
    assert.deepEqual(integration.missingHandlers(), ['action "list_tags"'])
  })

  it('are refused where they are wrong', () => {
    const integration = defineIntegration(source)
    assert.throws(
      // @ts-expect-error -- there is no such action
      () => integration.action('get_usr', () => ({ data: { name: '' } })),
      ConfigurationError,
    )
    // @ts-expect-error -- the schema has no such input
    integration.action('get_user', ({ idd }) => ({ data: { name: String(idd) } }))
    // @ts-expect-error -- a text, not a number
    integration.action('get_user', ({ id }) => ({ data: { name: id.length } }))
    // @ts-expect-error -- the name is missing
    integration.action('get_user', () => ({ data: {} }))
    // @ts-expect-error -- no data
    integration.action('get_user', () => ({ name: '' }))
    // @ts-expect-error -- an item is no text
    integration.action('list_tags', () => ({ data: [1] }))
    // @ts-expect-error -- no such credential
    integration.action('list_tags', (_, { auth }) => ({ data: [auth.credentials.token] }))
    // @ts-expect-error -- the id in the data is a number
    integration.pollingTrigger('new_user', () => [{ id: 1, data: { id: '1' } }])
    // @ts-expect-error -- a record needs an id
    integration.pollingTrigger('new_user', () => [{ data: { id: 1 } }])
    assert.deepEqual(integration.missingHandlers(), [])
  })

  it('need a configuration that can be used', () => {
    assert.throws(
      () =>
        defineIntegration({
          ...source,
          polling_triggers: { bad: { ...source.polling_triggers.new_user, polling_interval: '5x' } },
        }),
      /polling_interval/,
    )
    // @ts-expect-error -- the version is missing
    assert.throws(() => defineIntegration({ name: 'x', description: 'y' }), ConfigurationError)
    const strict = { ...source, display_name: 7 as unknown as string }
    assert.throws(() => defineIntegration(strict, { strict: true }), ConfigurationError)
    assert.equal(defineIntegration(strict).repairs.length, 1)
  })
})

test('load takes the types of a file', async () => {
  // Never called: only the compiler reads it.
  const load = async (): Promise<void> => {
    const integration = await Integration.load<Source>()
    integration.action('get_user', ({ id }) => ({ data: { name: id } }))
    // @ts-expect-error -- there is no such action
    integration.action('get_usr', () => ({ data: {} }))
  }
  assert.equal(typeof load, 'function')
})
