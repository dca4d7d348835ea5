import { Ajv } from 'ajv'
import { createContext, defineIntegration } from '@sluice/sdk/integration'
import { toFigure, toRatios, toSpread } from '../figure.ts'
import { alternate } from '../rounds.ts'
import type { Row } from '../row.ts'

const text = { type: 'string', minLength: 1, maxLength: 200 } as const
const inputSchema = {
  type: 'object',
  required: ['owner', 'repository', 'title'],
  additionalProperties: false,
  properties: {
    owner: { ...text, pattern: '^[A-Za-z0-9-]+$' },
    repository: text,
    title: text,
    body: { type: 'string' },
    labels: { type: 'array', items: text, maxItems: 50 },
    assignees: { type: 'array', items: text, maxItems: 10 },
    milestone: { type: ['integer', 'null'], minimum: 1 },
  },
} as const
const outputSchema = {
  type: 'object',
  required: ['number', 'url'],
  properties: {
    number: { type: 'integer' },
    url: text,
    state: { enum: ['open', 'closed'] },
    labels: inputSchema.properties.labels,
  },
} as const
const inputs = {
  owner: 'example',
  repository: 'shop',
  title: 'The total is wrong',
  body: 'It says 41 where 42 is right.',
  labels: ['bug', 'billing'],
  assignees: ['ada'],
  milestone: null,
}

async function act(given: object) {
  const { labels = [] } = given as { labels?: readonly string[] } // checked before
  return { data: { number: 7, url: 'https://example.com/issues/7', state: 'open' as const, labels } }
}

/** Calls a second, one after the other. */
async function measure(seconds: number, call: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  let count = 0
  while (performance.now() - began < seconds * 1000) {
    for (let at = 0; at < 1000; at += 1) await call()
    count += 1000
  }
  return (count / (performance.now() - began)) * 1000
}

export const actionCall: Row = {
  name: 'action-call',
  title: 'An action called in process',
  run: async (context) => {
    const integration = defineIntegration({
      name: 'Bench',
      version: '1.0.0',
      description: 'what an action costs',
      actions: { create: { description: 'creates', input_schema: inputSchema, output_schema: outputSchema } },
    })
    integration.action('create', act)
    const runContext = createContext()
    const ajv = new Ajv({ allErrors: true })
    const [checkInput, checkOutput] = [ajv.compile(inputSchema), ajv.compile(outputSchema)]
    const bare = async (): Promise<unknown> => {
      if (!checkInput(inputs)) throw new Error('refused')
      const result = await act(inputs)
      if (!checkOutput(result.data)) throw new Error('refused')
      return result
    }
    const whole = (): Promise<unknown> => integration.executeAction('create', inputs, runContext)
    const measured = await alternate(context, {
      whole: () => measure(context.seconds, whole),
      bare: () => measure(context.seconds, bare),
    })
    return [
      toFigure({
        path: 'action call in process',
        against: 'validation of inputs and output, and the same function',
        unit: '×',
        rounds: toRatios(measured.whole, measured.bare),
        bar: { must: 0.5, aim: 0.9, better: 'higher' },
        details: [`executeAction ${toSpread(measured.whole)} calls/s`, `bare ${toSpread(measured.bare)} calls/s`],
      }),
    ]
  },
}
