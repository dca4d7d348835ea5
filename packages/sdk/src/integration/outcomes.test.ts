import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ActionError, HTTPError, Integration, RateLimitError, createContext } from '../integration.ts'

const fields = { type: 'object', required: ['api_key'], properties: { api_key: { type: 'string' } } }
const teamSchema = { type: 'object', required: ['team'], properties: { team: { type: 'string' } } }
const config = {
  name: 'Outcomes',
  version: '1.0.0',
  description: 'for tests',
  auth: { type: 'custom', fields },
  actions: {
    one: { description: 'One', input_schema: { type: 'object' }, output_schema: { type: 'string' } },
    two: { description: 'Two', input_schema: { type: 'object' }, output_schema: { type: ['array', 'null'] } },
  },
  polling_triggers: {
    found: {
      description: 'Found',
      polling_interval: '1H',
      input_schema: teamSchema,
      output_schema: { type: 'object' },
    },
  },
}
const good = createContext({ auth: { api_key: 'k' } })
const bad = createContext({ auth: { auth_type: 'Custom', credentials: { api_key: 7 } } })
const sourceOf = ({ result }: { readonly result: object }): unknown => ('source' in result ? result.source : undefined)

describe('a polling trigger', () => {
  it('refuses wrong inputs and wrong credentials before it is asked', async () => {
    const integration = Integration.from(config)
    integration.pollingTrigger('found', () => assert.fail('asked'))
    assert.equal(sourceOf(await integration.executePollingTrigger('found', { team: 7 }, good)), 'input')
    const refused = await integration.executePollingTrigger('found', { team: 'a' }, bad)
    assert.equal(sourceOf(refused), 'input')
    assert.match(JSON.stringify(refused.result), /credentials: \/api_key must be string/)
  })

  it('that nobody handles, or that there is not, is a result that says so', async () => {
    const integration = Integration.from(config)
    for (const name of ['found', 'lost', 'constructor']) {
      const envelope = await integration.executePollingTrigger(name, { team: 'a' }, good)
      assert.deepEqual([envelope.type, sourceOf(envelope)], ['validation_error', 'legacy'])
    }
  })

  it('answers what it throws as an error, and many records as they are', async () => {
    const integration = Integration.from(config)
    const records = Array.from({ length: 1000 }, (_, id) => ({ id, data: { id } }))
    integration.pollingTrigger('found', ({ team }) => {
      if (team === 'none') throw new RangeError('no such team')
      return records
    })
    const { result } = await integration.executePollingTrigger('found', { team: 'a' }, good)
    assert.deepEqual('records' in result && result.records, records)
    const failed = await integration.executePollingTrigger('found', { team: 'none' }, good)
    assert.deepEqual([failed.type, failed.result], ['error', { message: 'no such team', cost_usd: null }])
  })
})

describe('the connected account', () => {
  it('is not asked for with wrong credentials', async () => {
    const integration = Integration.from(config)
    integration.connectedAccount(() => assert.fail('asked'))
    assert.equal(sourceOf(await integration.getConnectedAccount(bad)), 'input')
  })

  it('is given by an integration without fields of auth, and by a class', async () => {
    const integration = Integration.from({ ...config, auth: { type: 'platform', provider: 'example' } })
    class Account {
      getAccountInfo() {
        return { email: 'ada@example.com' }
      }
    }
    integration.connectedAccount(Account)
    const { type, result } = await integration.getConnectedAccount(createContext())
    assert.deepEqual([type, 'email' in result && result.email], ['connected_account', 'ada@example.com'])
  })

  it('that fails is an error with its message', async () => {
    const integration = Integration.from(config)
    integration.connectedAccount(() => {
      throw new HTTPError({ status: 401, message: 'who are you', responseData: null })
    })
    const { type, result } = await integration.getConnectedAccount(good)
    assert.deepEqual([type, result], ['error', { message: 'HTTP 401: who are you', cost_usd: null }])
  })
})

describe('actions', () => {
  it('of one integration are told apart; an output may be a text, a list or null', async () => {
    const integration = Integration.from(config)
    integration.action('one', () => ({ data: '1' }))
    integration.action('two', (_, { metadata }) => ({ data: metadata['empty'] ? null : [2] }))
    const dataOf = async (name: string, empty = false): Promise<unknown> => {
      const context = createContext({ auth: { api_key: 'k' }, metadata: { empty } })
      const { result } = await integration.executeAction(name, {}, context)
      return 'data' in result ? result.data : result
    }
    assert.deepEqual([await dataOf('one'), await dataOf('two'), await dataOf('two', true)], ['1', [2], null])
  })

  it('that ran into a rate limit say so', async () => {
    const integration = Integration.from(config)
    integration.action('one', () => {
      throw new RateLimitError({ retryAfter: 9, responseData: null })
    })
    const { type, result } = await integration.executeAction('one', {}, good)
    assert.deepEqual([type, 'message' in result && result.message], ['error', 'HTTP 429: Rate limit exceeded'])
  })

  it('that are none: a configuration without them can be loaded', () => {
    const { actions: _, polling_triggers: __, ...empty } = config
    assert.deepEqual(Integration.from(empty).config.actions, {})
    assert.deepEqual(Integration.from({ ...empty, actions: {} }).missingHandlers(), [])
  })
})

it('errors have the members that handlers read', () => {
  assert.equal(new ActionError('no').cost_usd, null)
  assert.equal(new ActionError('no', { cost_usd: 0 }).cost_usd, 0)
  const limited = new RateLimitError({ retryAfter: 3, responseData: { a: 1 } })
  assert.deepEqual(
    [limited.name, limited.status, limited.retryAfter, limited.responseData, limited instanceof HTTPError],
    ['RateLimitError', 429, 3, { a: 1 }, true],
  )
})
