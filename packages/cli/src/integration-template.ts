/** The files of a new integration, by name. What stands in them works as it is: its test passes, and `validate` is content. */
export function toTemplate(name: string): Readonly<Record<string, string>> {
  const title = toTitle(name)
  return {
    'config.json': `${JSON.stringify(toConfig(title), undefined, 2)}\n`,
    'integration.ts': handlers,
    'integration.test.ts': test,
    'README.md': toReadme(name, title),
    'icon.svg': icon,
  }
}

/** `weather-map` is Weather map. */
function toTitle(name: string): string {
  const words = name.replaceAll('-', ' ')
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

const itemSchema = {
  type: 'object',
  required: ['id', 'name'],
  properties: { id: { type: 'string' }, name: { type: 'string' } },
}

function toConfig(title: string): Record<string, unknown> {
  return {
    name: title,
    display_name: title,
    version: '0.1.0',
    description: `What can be done with ${title}`,
    auth: {
      type: 'custom',
      title: `${title} account`,
      fields: {
        type: 'object',
        required: ['api_key'],
        properties: { api_key: { type: 'string', format: 'password', label: 'API key' } },
      },
    },
    hosts: ['api.example.com'],
    supports_connected_account: true,
    actions: {
      get_item: {
        display_name: 'Get item',
        description: 'One item by its id',
        input_schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
        output_schema: itemSchema,
      },
    },
    polling_triggers: {
      new_item: {
        display_name: 'New item',
        description: 'Items as they are made',
        polling_interval: '5m',
        input_schema: { type: 'object' },
        output_schema: itemSchema,
      },
    },
  }
}

const handlers = `import { ActionError, HTTPError, Integration, type Context } from '@sluice/sdk/integration'

const api = 'https://api.example.com'
const integration = await Integration.load()

const toHeaders = ({ auth }: Context) => ({ 'x-api-key': String(auth.credentials['api_key']) })

integration.action('get_item', async ({ id }, context) => {
  try {
    const url = \`\${api}/items/\${encodeURIComponent(String(id))}\`
    const { data } = await context.fetch(url, { headers: toHeaders(context) })
    return { data }
  } catch (error) {
    if (error instanceof HTTPError && error.status === 404) return new ActionError(\`there is no item "\${String(id)}"\`)
    throw error
  }
})

type Item = { readonly id: string; readonly name: string }

integration.pollingTrigger('new_item', async (_, { last_poll_ts: since }, context) => {
  const { data } = await context.fetch<Item[]>(\`\${api}/items\`, { params: { since }, headers: toHeaders(context) })
  return data.map((item) => ({ id: item.id, data: item }))
})

integration.connectedAccount(async (context) => {
  const { data } = await context.fetch<{ email: string }>(\`\${api}/me\`, { headers: toHeaders(context) })
  return { email: data.email }
})

export default integration
`

const test = `import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createVendor, cut, mockContext, rateLimited, type Vendor } from '@sluice/sdk/testing'
import integration from './integration.ts'

const auth = { api_key: 'test-key' }
let vendor: Vendor
before(async () => {
  vendor = await createVendor()
})
after(() => vendor.close())

test('get_item reads an item, also when the first attempt is cut off', async () => {
  vendor.on('GET /items/:id', cut(), ({ params }) => ({ json: { id: params['id'], name: 'Lamp' } }))
  const { type, result } = await integration.executeAction('get_item', { id: '7' }, mockContext({ vendor, auth }))
  assert.deepEqual([type, result], ['action', { data: { id: '7', name: 'Lamp' }, cost_usd: null }])
  assert.equal(vendor.requests.at(-1)?.headers['x-api-key'], 'test-key')
})

test('get_item says that there is none, and passes on that it was too fast', async () => {
  vendor.on('GET /items/:id', { status: 404 }, rateLimited(30))
  const run = () => integration.executeAction('get_item', { id: '7' }, mockContext({ vendor, auth }))
  assert.equal((await run()).type, 'action_error')
  assert.equal((await run()).type, 'error')
})

test('new_item finds what is new since the last time', async () => {
  vendor.on('GET /items', ({ query }) => ({ json: [{ id: '8', name: \`since \${query.get('since')}\` }] }))
  const place = { last_poll_ts: '2026-01-01T00:00:00Z' }
  const { result } = await integration.executePollingTrigger('new_item', {}, mockContext({ vendor, auth }), place)
  const records = [{ id: '8', data: { id: '8', name: 'since 2026-01-01T00:00:00Z' } }]
  assert.deepEqual(result, { records, state: null })
})

test('the connected account is the one that the key belongs to', async () => {
  vendor.on('GET /me', { json: { email: 'ada@example.com' } })
  const { result } = await integration.getConnectedAccount(mockContext({ vendor, auth }))
  assert.equal('email' in result && result.email, 'ada@example.com')
})

test('every handler is there', () => {
  assert.deepEqual(integration.missingHandlers(), [])
})
`

const toReadme = (name: string, title: string): string => `# ${title}

| action | |
|---|---|
| \`get_item\` | one item by its id |

| polling trigger | |
|---|---|
| \`new_item\` | items as they are made, every five minutes |

It is connected with an API key.

## Working on it

\`\`\`sh
sluice integrations validate ${name}
sluice integrations test ${name}
sluice integrations dev ${name} --action get_item --inputs '{"id":"7"}' --auth @auth.json
\`\`\`
`

const icon = `<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512" viewBox="0 0 512 512">
  <rect width="512" height="512" rx="96" fill="#2b6cb0"/>
  <circle cx="256" cy="256" r="120" fill="none" stroke="#fff" stroke-width="48"/>
</svg>
`
