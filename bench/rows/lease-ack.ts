import { measureCpu, toCpuText, toRates, type LoadRun } from '../cpu.ts'
import { toFigure, toRatios, toSpread } from '../figure.ts'
import { openHub, type FolderHub } from '../hub.ts'
import { createInboxes, readHandedOut, runLease } from '../lease-load.ts'
import { checkOnce } from '../once-check.ts'
import { openReference, runBare, type BareReference } from '../references/serve.ts'
import { alternate } from '../rounds.ts'
import type { Row } from '../row.ts'
import { fillLog } from '../store.ts'

const events = 300_000
/** More than a round can empty at any speed this hub reaches. */
const inboxesARoundSecond = 1

export const leaseAck: Row = {
  name: 'lease-ack',
  title: 'Lease 100 + ack, 8 connections',
  run: async (context) => {
    const data = context.folder('hub')
    await using hub = await openFilled(data, context.say)
    await using reference: BareReference = await openReference('bare-lease.ts', [hub.file])
    const folder = context.folder('wrk')
    const p99: number[] = []
    const lease = async (round: number): Promise<LoadRun> => {
      const inboxes = Array.from(
        { length: Math.ceil(context.seconds * inboxesARoundSecond) + 1 },
        (_, index) => `r${round}-${index}`,
      )
      await createInboxes(hub, inboxes)
      const load = { hub, inboxes, leasesEach: events, run: `r${round}`, seconds: context.seconds, folder }
      const { answer, cpu } = await measureCpu(hub.pid, () => runLease(load))
      if (round > 0) p99.push(answer.p99Ms)
      const { next, leased } = readHandedOut(hub.file, inboxes)
      return { rate: (next - leased) / answer.seconds, count: next - leased, cpu }
    }
    const measured = await alternate(context, {
      bare: () => runBare(reference, context.seconds),
      hub: lease,
    })
    return [
      toFigure({
        path: 'lease 100 + ack',
        against: 'bare cursor read + ack on the same file',
        unit: '×',
        rounds: toRatios(toRates(measured.hub), toRates(measured.bare)),
        bar: { must: 0.4, aim: 0.6, better: 'higher' },
        details: [
          `hub ${toSpread(toRates(measured.hub))} events/s acknowledged (counted in the store), p99 of a request ${toSpread(p99, 1)} ms; ${toCpuText(measured.hub, 'event')}`,
          `bare ${toSpread(toRates(measured.bare))} rows/s; ${toCpuText(measured.bare, 'row')}`,
          await checkOnce({ hubs: [hub], events, readHandedOut: (inboxes) => readHandedOut(hub.file, inboxes) }),
        ],
      }),
    ]
  },
}

async function openFilled(data: string, say: (text: string) => void): Promise<FolderHub> {
  const { apiKey, stop } = await openHub({ data })
  await stop()
  await fillLog({ data, count: events, say })
  return openHub({ data, apiKey })
}
