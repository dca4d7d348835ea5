import { Integration, type PollRecord } from '@sluice/sdk/integration'

const integration = await Integration.load()

integration.pollingTrigger('new_record', async ({ url }, { last_poll_ts: since, state }, context) => {
  const params = { since, polls: JSON.stringify(state) }
  const { data } = await context.fetch<PollRecord[]>(String(url), { params, timeoutMs: 5000 })
  return { records: data, state: { polls: (isCount(state) ? state.polls : 0) + 1 } }
})

function isCount(state: unknown): state is { polls: number } {
  return typeof state === 'object' && state !== null && 'polls' in state
}

// oxlint-disable-next-line import/no-default-export -- what a folder of an integration exports
export default integration
