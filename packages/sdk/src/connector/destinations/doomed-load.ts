import { defineConnector } from '../define.ts'
import { runConnector } from '../run.ts'
import { toDestination, type DestinationKind } from './open.ts'

// Started by kills.slow.test.ts, with a destination, its settings and a number of pages. Says so before each checkpoint.
const [kind, settings = '{}', pages] = process.argv.slice(2)

const connector = defineConnector({
  name: 'doomed',
  state: { page: 0 },
  schema: () => [{ table: 'rows', primary_key: ['id', 'part'] }, { table: 'plain' }],
  async update({ op, state }) {
    for (let page = state.page; page < Number(pages); page += 1) {
      // Half of a page was in the page before; amounts become texts on the way.
      const amount = page < Number(pages) / 4 ? page : page < Number(pages) / 2 ? page + 0.5 : `${page} apples`
      for (let id = page * 10; id < page * 10 + 20; id += 1)
        await op.upsert('rows', { id, part: id % 3 === 0 ? null : 'a', amount, text: `it's\t${page}\n` })
      await op.update('rows', { id: page * 10 + 1, part: 'a', text: 'changed' })
      await op.delete('rows', { id: page * 10 + 2, part: 'a' })
      await op.upsert('plain', { page, doubled: page % 2 })
      process.stdout.write('.')
      await op.checkpoint({ page: page + 1 })
    }
  },
})

const result = await runConnector({
  connector,
  configuration: {},
  destination: toDestination(kind as DestinationKind, JSON.parse(settings), '.'), // the test names one
})
if (result.error) throw result.error.cause
