/** The files of a new connector, by name. What stands in them works as it is: without a network, on rows of its own. */
export function toConnectorTemplate(name: string): Readonly<Record<string, string>> {
  return {
    'connector.ts': toConnector(name.replaceAll('-', '_')),
    'configuration.json': '{\n  "greeting": "hello"\n}\n',
    'connector.test.ts': test,
    'README.md': toReadme(name),
  }
}

const toConnector = (name: string): string => `import { defineConnector } from '@sluice/sdk/connector'

/** Stands for a service: replace it by \`http\` and a paginator. */
async function* readPages(after: number) {
  const rows = ['Ada', 'Grace', 'Edsger'].map((name, index) => ({ id: index + 1, name }))
  for (const row of rows.filter(({ id }) => id > after)) yield { rows: [row], lastId: row.id }
}

export default defineConnector({
  name: '${name}',
  // Texts in configuration.json; 'secret' for what must never be shown.
  configuration: { greeting: 'text' },
  state: { after: 0 },
  schema: () => [{ table: 'people', primary_key: ['id'] }],
  async update({ configuration, state, op, log }) {
    for await (const { rows, lastId } of readPages(state.after)) {
      for (const row of rows) await op.upsert('people', { ...row, greeting: \`\${configuration.greeting}, \${row.name}\` })
      // Everything before it is safe when this resolves: here the next sync goes on.
      await op.checkpoint({ after: lastId })
    }
    log.info('people is complete')
  },
})
`

const test = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDuckDb, runConnector } from '@sluice/sdk/sync'
import connector from './connector.ts'

test('people come into their table', async () => {
  const result = await runConnector({
    connector,
    configuration: { greeting: 'hi' },
    destination: (options) => openDuckDb({ file: ':memory:', ...options }),
  })
  assert.equal(result.status, 'succeeded')
  assert.deepEqual(result.tables, { people: { rows: 3 } })
})
`

const toReadme = (name: string): string => `# ${name}

| table | key | from |
|---|---|---|
| \`people\` | \`id\` | rows of its own, until you ask a service |

\`\`\`console
$ sluice connectors debug ${name}
$ node --test ${name}/connector.test.ts
\`\`\`
`
