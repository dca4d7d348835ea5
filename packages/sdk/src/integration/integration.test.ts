import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, test } from 'node:test'
import { ActionError, ConfigurationError, Integration, createContext, type ActionFunction } from '../integration.ts'

const idSchema = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } }
const config = {
  name: 'Example',
  version: '1.0.0',
  description: 'for tests',
  auth: {
    type: 'custom',
    fields: { type: 'object', required: ['api_key'], properties: { api_key: { type: 'string' } } },
  },
  supports_connected_account: true,
  actions: {
    get_user: {
      description: 'One user',
      input_schema: idSchema,
      output_schema: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    },
    ping: { description: 'Nothing', input_schema: { type: 'object' }, output_schema: { type: ['object', 'null'] } },
  },
  polling_triggers: {
    new_user: {
      description: 'Users',
      polling_interval: '5m',
      input_schema: { type: 'object' },
      output_schema: idSchema,
    },
  },
}
const context = createContext({ auth: { api_key: 'k' } })

function withAction(handler: ActionFunction): Integration {
  const integration = Integration.from(config)
  integration.action('get_user', handler)
  return integration
}

const run = (handler: ActionFunction, inputs: unknown = { id: '1' }, given = context) =>
  withAction(handler).executeAction('get_user', inputs, given)

describe('executing an action', () => {
  it('answers the data and the cost', async () => {
    const envelope = await run(async (inputs) => ({ data: { name: `user ${String(inputs['id'])}` }, cost_usd: 0.05 }))
    assert.deepEqual(envelope, {
      version: '2.0.0',
      type: 'action',
      result: { data: { name: 'user 1' }, cost_usd: 0.05 },
    })
  })

  it('keeps a cost of zero, and says null for one that is not known', async () => {
    const costOf = async (cost?: number) => {
      const { result } = await run(() => ({ data: { name: 'a' }, ...(cost !== undefined && { cost_usd: cost }) }))
      return 'cost_usd' in result ? result.cost_usd : undefined
    }
    assert.equal(await costOf(0), 0)
    assert.equal(await costOf(), null)
  })

  for (const [how, fail] of Object.entries({
    returned: () => new ActionError('User not found', { cost_usd: 0.01 }),
    thrown: () => {
      throw new ActionError('User not found', { cost_usd: 0.01 })
    },
  })) {
    it(`an ActionError that is ${how} skips the check of outputs and keeps its cost`, async () => {
      const result = { message: 'User not found', cost_usd: 0.01 }
      assert.deepEqual(await run(fail), { version: '2.0.0', type: 'action_error', result })
    })
  }

  it('refuses wrong inputs, every fault at once, before the handler runs', async () => {
    const envelope = await run(() => assert.fail('ran'), { id: 7 })
    assert.equal(envelope.type, 'validation_error')
    const { message, ...rest } = envelope.result as { message: string }
    assert.deepEqual(rest, { property: null, value: null, source: 'input' })
    assert.match(message, /\/id must be string/)
    for (const inputs of [null, [], 'a'])
      assert.equal((await run(() => assert.fail('ran'), inputs)).type, 'validation_error')
  })

  const sources: readonly (readonly [string, ActionFunction, string])[] = [
    ['outputs that the schema refuses', () => ({ data: { name: 7 } }), 'output'],
    ['an answer that is no result', (() => ({ name: 'a' })) as unknown as ActionFunction, 'output'],
    ['no answer at all', (() => undefined) as unknown as ActionFunction, 'output'],
  ]
  for (const [what, handler, source] of sources) {
    it(`refuses ${what}`, async () => {
      const envelope = await run(handler)
      assert.equal(envelope.type, 'validation_error')
      assert.equal('source' in envelope.result && envelope.result.source, source)
    })
  }

  it('refuses wrong credentials as inputs; flat and wrapped ones are the same', async () => {
    const refused = await run(() => assert.fail('ran'), { id: '1' }, createContext({ auth: { other: 'k' } }))
    assert.equal('source' in refused.result && refused.result.source, 'input')
    const wrapped = createContext({ auth: { auth_type: 'Custom', credentials: { api_key: 'k' } } })
    const answered = await run(
      (_, { auth }) => ({ data: { name: String(auth.credentials['api_key']) } }),
      { id: '1' },
      wrapped,
    )
    assert.equal(answered.type, 'action')
  })

  it('says which actions there are when one is not registered', async () => {
    const envelope = await withAction(() => ({ data: { name: '' } })).executeAction('ping', {}, context)
    assert.deepEqual(envelope.result, {
      message: 'action "ping" is not registered; there are get_user',
      property: null,
      value: null,
      source: 'legacy',
    })
  })

  it('makes a result of whatever else a handler throws', async () => {
    for (const thrown of [new TypeError('oops'), 'oops']) {
      const envelope = await run(() => {
        throw thrown
      })
      assert.deepEqual(envelope, { version: '2.0.0', type: 'error', result: { message: 'oops', cost_usd: null } })
    }
  })

  it('makes an instance of a class handler for each call', async () => {
    let made = 0
    const integration = Integration.from(config)
    class GetUser {
      readonly number = (made += 1)
      execute() {
        return { data: { name: String(this.number) } }
      }
    }
    integration.action('get_user', GetUser)
    await integration.executeAction('get_user', { id: '1' }, context)
    const { result } = await integration.executeAction('get_user', { id: '1' }, context)
    assert.deepEqual('data' in result && result.data, { name: '2' })
  })

  it('takes the last handler that was registered, and no name that is not configured', async () => {
    const integration = withAction(() => ({ data: { name: 'first' } }))
    integration.action('get_user', () => ({ data: { name: 'second' } }))
    const { result } = await integration.executeAction('get_user', { id: '1' }, context)
    assert.deepEqual('data' in result && result.data, { name: 'second' })
    assert.throws(() => integration.action('get_usr', () => ({ data: {} })), ConfigurationError)
    assert.throws(() => integration.pollingTrigger('toString', () => []), ConfigurationError)
  })

  it('gives handlers the metadata of the context', async () => {
    const given = createContext({ auth: { api_key: 'k' }, metadata: { run: 7 } })
    const { result } = await run(
      (_, { metadata }) => ({ data: { name: `run ${String(metadata['run'])}` } }),
      { id: '1' },
      given,
    )
    assert.deepEqual('data' in result && result.data, { name: 'run 7' })
  })
})

describe('executing a polling trigger', () => {
  const poll = (records: unknown) => {
    const integration = Integration.from(config)
    integration.pollingTrigger('new_user', () => records as [])
    return integration.executePollingTrigger('new_user', {}, context)
  }

  it('answers the records, and the state for the next time', async () => {
    const integration = Integration.from(config)
    integration.pollingTrigger('new_user', (_, { last_poll_ts: last, state }) => ({
      records: [{ id: 1, data: { id: String(last) } }],
      state: { before: state },
    }))
    const place = { last_poll_ts: '2026-01-01T00:00:00Z', state: 'a' }
    assert.deepEqual(await integration.executePollingTrigger('new_user', {}, context, place), {
      version: '2.0.0',
      type: 'polling_trigger',
      result: { records: [{ id: 1, data: { id: '2026-01-01T00:00:00Z' } }], state: { before: 'a' } },
    })
  })

  it('refuses records without id or data, or with data that the schema refuses, and names which', async () => {
    const bad = [{ data: { id: 'a' } }, { id: 'a' }, { id: 'a', data: {} }, { id: '', data: { id: 'a' } }, 'a', null]
    for (const record of bad) {
      const envelope = await poll([{ id: 'good', data: { id: 'a' } }, record])
      assert.equal(envelope.type, 'validation_error')
      assert.match((envelope.result as { message: string }).message, /^record 1: /)
    }
    assert.equal((await poll({ records: 'none' })).type, 'validation_error')
  })

  it('takes a configuration without auth', async () => {
    const { auth: _, ...open } = config
    const integration = Integration.from(open)
    integration.pollingTrigger('new_user', () => [])
    const envelope = await integration.executePollingTrigger('new_user', {}, createContext())
    assert.deepEqual(envelope.result, { records: [], state: null })
  })

  it('runs class handlers', async () => {
    const integration = Integration.from(config)
    class Poll {
      poll(_: Record<string, unknown>, last: string | null) {
        return [{ id: 'a', data: { id: last ?? 'first' } }]
      }
    }
    integration.pollingTrigger('new_user', Poll)
    assert.equal((await integration.executePollingTrigger('new_user', {}, context)).type, 'polling_trigger')
  })
})

describe('the connected account', () => {
  it('is given with all members, null where nothing is known', async () => {
    const integration = Integration.from(config)
    integration.connectedAccount(() => ({ email: 'a@example.org', user_id: 7 as unknown as string }))
    assert.deepEqual((await integration.getConnectedAccount(context)).result, {
      email: 'a@example.org',
      first_name: null,
      last_name: null,
      username: null,
      user_id: '7',
      avatar_url: null,
      organization: null,
    })
  })

  it('is an error without a handler, or with a wrong answer', async () => {
    const integration = Integration.from(config)
    assert.equal((await integration.getConnectedAccount(context)).type, 'validation_error')
    integration.connectedAccount(() => 'me' as unknown as object)
    assert.equal((await integration.getConnectedAccount(context)).type, 'validation_error')
  })
})

test('missing handlers are known before anything runs', () => {
  const integration = withAction(() => ({ data: {} }))
  assert.deepEqual(integration.missingHandlers(), ['action "ping"', 'polling trigger "new_user"', 'connected account'])
})

test('a configuration is loaded from a file, or beside the calling module', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-load-'))
  try {
    await assert.rejects(Integration.load(join(folder, 'config.json')), ConfigurationError)
    await writeFile(join(folder, 'config.json'), JSON.stringify(config))
    await writeFile(
      join(folder, 'handlers.mjs'),
      `import { Integration } from ${JSON.stringify(import.meta.resolve('../integration.ts'))}\nexport default await Integration.load()`,
    )
    const { default: loaded } = await import(join(folder, 'handlers.mjs'))
    assert.equal(loaded.config.name, 'Example')
    await writeFile(join(folder, 'config.json'), '{ "name": "x", }')
    await assert.rejects(Integration.load(join(folder, 'config.json')), /is no JSON.*line 1/s)
  } finally {
    await rm(folder, { recursive: true })
  }
})
