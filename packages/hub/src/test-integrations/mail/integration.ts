import { Integration } from '@sluice/sdk/integration'

const integration = await Integration.load()

integration.action('read', async ({ url }, context) => {
  const { data } = await context.fetch(String(url))
  return { data }
})

integration.pollingTrigger('new_mail', async ({ url }, _, context) => {
  const { data } = await context.fetch<{ sub: string }>(String(url))
  return [{ id: data.sub, data }]
})

integration.connectedAccount(({ auth: { credentials } }) => {
  const { api_key: key, access_token: token } = credentials
  if (String(key).startsWith('refused')) throw new Error('the service knows no such key')
  return token === undefined ? { username: 'ada' } : { email: 'ada@example.com', first_name: 'Ada' }
})

// oxlint-disable-next-line import/no-default-export -- what a folder of an integration exports
export default integration
