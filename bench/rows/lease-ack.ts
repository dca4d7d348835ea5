import { measureCpu, toCpuText, toRates, type LoadRun } from '../cpu.ts'
import { toFigure, toRatios, toSpread } from '../figure.ts'
import { openHub, type Hub } from '../hub.ts'
import { createInboxes, readHandedOut, runLease } from '../lease-load.ts'
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
          await checkOnce(hub),
        ],
      }),
    ]
  },
}

async function openFilled(data: string, say: (text: string) => void): Promise<Hub> {
  const { apiKey, stop } = await openHub({ data })
  await stop()
  await fillLog({ data, count: events, say })
  return openHub({ data, apiKey })
}

type LeaseAnswer = { readonly lease_id: string; readonly events: readonly { readonly event_id: string }[] }

/** Eight consumers empty one inbox over HTTP: every event comes exactly once, and nothing is left. */
async function checkOnce(hub: Hub): Promise<string> {
  await createInboxes(hub, ['once'])
  const ids = new Set<string>()
  let handedOut = 0
  const consume = async (): Promise<void> => {
    while (handedOut < events) {
      const lease = await hub.call<LeaseAnswer>('POST', '/v1/inboxes/once/lease', { limit: 1000, lease_seconds: 600 })
      if (lease.events.length === 0) return
      handedOut += lease.events.length
      for (const event of lease.events) ids.add(event.event_id)
      await hub.call('POST', '/v1/inboxes/once/ack', { lease_id: lease.lease_id })
    }
  }
  await Promise.all(Array.from({ length: 8 }, consume))
  const { next, leased } = readHandedOut(hub.file, ['once'])
  const text = `check: ${events} events in one inbox, ${handedOut} handed out, ${ids.size} different, ${next - leased} acknowledged`
  if (handedOut !== events || ids.size !== events || next !== events || leased !== 0)
    throw new Error(`loss check failed: ${text}`)
  return text
}
