import { ActionError, HTTPError, RateLimitError, defineIntegration } from '@sluice/sdk/integration'
import { createVendor, mockContext, rateLimited } from '@sluice/sdk/testing'

// What an Autohive integration does, in TypeScript: actions, an expected error, the connected account, a polling trigger.
const object = { type: 'object' } as const
const byId = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } as const
const user = {
  type: 'object',
  required: ['id', 'email'],
  properties: { id: { type: 'string' }, email: { type: 'string' } },
} as const

const integration = defineIntegration({
  name: 'Example',
  version: '1.0.0',
  description: 'Users of example.com',
  auth: { type: 'platform', provider: 'example', scopes: ['users:read'] },
  hosts: ['api.example.com'],
  supports_billing: true,
  supports_connected_account: true,
  actions: {
    my_action: { description: 'A resource as it is', input_schema: object, output_schema: {} },
    get_user: { description: 'One user', input_schema: byId, output_schema: user },
  },
  polling_triggers: {
    new_user: { description: 'Users', polling_interval: '5m', input_schema: object, output_schema: user },
  },
})

const api = 'https://api.example.com'
type User = { readonly id: string; readonly email: string }

integration.action('my_action', async (_, context) => {
  const { data } = await context.fetch(`${api}/resource`)
  return { data }
})

integration.action('get_user', async ({ id }, context) => {
  try {
    const { data } = await context.fetch<User>(`${api}/users/${encodeURIComponent(id)}`)
    return { data, cost_usd: 0.05 }
  } catch (error) {
    if (error instanceof RateLimitError) return new ActionError(`too fast; try again in ${error.retryAfter} s`)
    if (error instanceof HTTPError && error.status === 404) return new ActionError('User not found', { cost_usd: 0.01 })
    throw error
  }
})

integration.connectedAccount(async (context) => {
  const { data } = await context.fetch<{ email: string; first_name: string }>(`${api}/me`)
  return { email: data.email, first_name: data.first_name }
})

integration.pollingTrigger('new_user', async (_, { last_poll_ts: since }, context) => {
  const { data } = await context.fetch<User[]>(`${api}/users`, { params: { since } })
  return data.map((found) => ({ id: found.id, data: found }))
})

// The service is one of this process here, so that the example needs no account anywhere.
await using vendor = await createVendor()
vendor.on('GET /resource', ({ headers }) => ({ json: { asked_with: headers['authorization'] } }))
vendor.on('GET /users/:id', { json: { id: '7', email: 'ada@example.com' } }, { status: 404 }, rateLimited(30), {
  status: 500,
  text: 'broken',
})
vendor.on('GET /me', { json: { email: 'ada@example.com', first_name: 'Ada' } })
vendor.on('GET /users', ({ query }) => ({ json: [{ id: '8', email: `since ${query.get('since')}` }] }))

const auth = { auth_type: 'PlatformOauth2', credentials: { access_token: 'secret-token' } }
const context = mockContext({ vendor, auth, hosts: integration.config.hosts })

show('my_action', await integration.executeAction('my_action', {}, context))
for (const what of ['a user', 'no such user', 'too fast', 'a broken service'])
  show(what, await integration.executeAction('get_user', { id: '7' }, context))
show('wrong inputs', await integration.executeAction('get_user', { id: 7 }, context))
show('connected', await integration.getConnectedAccount(context))
const place = { last_poll_ts: '2026-01-01T00:00:00Z' }
show('polled', await integration.executePollingTrigger('new_user', {}, context, place))

function show(what: string, { type, result }: { readonly type: string; readonly result: unknown }): void {
  console.log(`${what}: ${type} ${JSON.stringify(result)}`)
}
