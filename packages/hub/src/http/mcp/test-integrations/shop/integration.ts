import { ActionError, Integration } from '@sluice/sdk/integration'

const integration = await Integration.load()

integration.action('get_order', ({ number }) => {
  if (number === 404) return new ActionError('there is no such order', { cost_usd: 0.01 })
  return { data: { number, paid: true }, cost_usd: 0.002 }
})

// oxlint-disable-next-line import/no-default-export -- what a folder of an integration exports
export default integration
