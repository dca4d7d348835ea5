import { ActionError, Integration } from '@sluice/sdk/integration'

const integration = await Integration.load()

integration.action('say', ({ word }, { auth }) => {
  if (word === 'leak') throw new Error(`GET https://service.example/?key=${String(auth.credentials['api_key'])} failed`)
  if (word === 'key') return { data: { said: auth.credentials['api_key'], key_length: 0 } }
  if (word === 'no') return new ActionError('I will not say that', { cost_usd: 0.01 })
  return { data: { said: word, key_length: String(auth.credentials['api_key']).length }, cost_usd: 0.001 }
})

integration.action('crash', () => process.exit(7))

integration.pollingTrigger('new_word', (_, { last_poll_ts: lastPollTs }) => [
  { id: 'a', data: { word: 'first', lastPollTs } },
  { id: 'b', data: { word: 'second' } },
])

integration.connectedAccount(({ auth }) => {
  const key = String(auth.credentials['api_key'])
  if (key.startsWith('refused')) throw new Error(`the service knows no such key: ${key}`)
  return { username: 'echo', email: 'echo@example.org' }
})

// oxlint-disable-next-line import/no-default-export -- what a folder of an integration exports
export default integration
