import { ActionError, Integration, type PollRecord } from '@sluice/sdk/integration'

const integration = await Integration.load()

integration.pollingTrigger('new_record', async ({ url }, { last_poll_ts: since, state }, context) => {
  const params = { since, polls: JSON.stringify(state) }
  const { data } = await context.fetch<PollRecord[]>(String(url), { params, timeoutMs: 5000 })
  return { records: data, state: { polls: (isCount(state) ? state.polls : 0) + 1 } }
})

integration.action('do', async ({ url, how, say }, { fetch, metadata }) => {
  const { data } = await fetch(String(url), { method: 'POST', json: { say, metadata } })
  if (how === 'refuse') return new ActionError('I will not')
  if (how === 'throw') throw new Error('I did not expect that')
  if (how === 'exit') process.exit(7)
  if (how === 'odd') return { data: 'a text' }
  if (how !== 'hang') return { data }
  // Keeps the process alive, so that only its end ends the run.
  setInterval(() => undefined, 1000)
  return new Promise(() => undefined)
})

function isCount(state: unknown): state is { polls: number } {
  return typeof state === 'object' && state !== null && 'polls' in state
}

// oxlint-disable-next-line import/no-default-export -- what a folder of an integration exports
export default integration
