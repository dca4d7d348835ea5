import { spawnSync } from 'node:child_process'
import { toEventText } from '../event.ts'
import { toFigure, toSpread } from '../figure.ts'
import { openHub } from '../hub.ts'
import type { Row } from '../row.ts'

export const coldStart: Row = {
  name: 'cold-start',
  title: 'Cold start to the first accepted event',
  run: async (context) => {
    const seconds: number[] = []
    const bare: number[] = []
    for (let round = 0; round <= context.rounds; round += 1) {
      const data = context.folder(`cold-${round}`)
      const started = performance.now()
      await using hub = await openHub({ data })
      await hub.call('POST', '/v1/events', JSON.parse(toEventText(round)))
      if (round === 0) continue
      seconds.push((performance.now() - started) / 1000)
      bare.push(timeBareNode())
    }
    return [
      toFigure({
        path: 'cold start to first accepted event',
        against: 'bar',
        unit: 's',
        rounds: seconds,
        bar: { must: 2, aim: 0.7, better: 'lower' },
        details: [
          'from starting the process on an empty folder (store made, first key made) to the answer 201; caches of the file system warm',
          `of that, Node alone (node -e 0): ${toSpread(bare, 3)} s`,
        ],
      }),
    ]
  },
}

function timeBareNode(): number {
  const started = performance.now()
  spawnSync(process.execPath, ['-e', '0'])
  return (performance.now() - started) / 1000
}
