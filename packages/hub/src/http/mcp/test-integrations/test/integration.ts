import { setTimeout as pause } from 'node:timers/promises'
import { ActionError, Integration } from '@sluice/sdk/integration'

const integration = await Integration.load()

integration.action('simple_text', () => ({ data: 'This is a simple text response for testing.' }))
integration.action('error_handling', () => new ActionError('This tool intentionally returns an error for testing'))
integration.action('tool_with_progress', async (_, { progress }) => {
  progress({ done: 0, total: 100 }, 'begun')
  for (const done of [50, 100]) {
    await pause(120) // what follows closely is left out
    progress({ done, total: 100 })
  }
  return { data: 'done' }
})
integration.action('wait', () => {
  // Keeps the process alive, so that only its end ends the run.
  setInterval(() => undefined, 1000)
  return new Promise(() => undefined)
})
integration.action('odd', (inputs) => ({ data: { given: inputs } }))

// oxlint-disable-next-line import/no-default-export -- what a folder of an integration exports
export default integration
