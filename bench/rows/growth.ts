import { join } from 'node:path'
import { toEventId } from '@sluice/protocol'
import { measureCpu, toCpuText, toRates, type LoadRun } from '../cpu.ts'
import { toFigure, toRatios, toSpread, toText } from '../figure.ts'
import { eventTableOf, openHub, readHead, readStore, type FolderHub } from '../hub.ts'
import { checkStored } from '../loss-check.ts'
import { createInboxes, manyInboxes, readHandedOut, runLease, seekInboxes } from '../lease-load.ts'
import { runPublish, type PublishResult } from '../publish-load.ts'
import { alternate } from '../rounds.ts'
import type { Context, Figure, Row } from '../row.ts'
import { fillLog } from '../store.ts'
import { runWrk } from '../wrk.ts'

const smallEvents = 1000
const leasesEach = 5
const sampledIds = 10_000

type Sides = { readonly small: FolderHub; readonly large: FolderHub }

export const growth: Row = {
  name: 'growth',
  title: 'A log of 1,000 events against a large one, 1,000 inboxes on each',
  run: async (context) => {
    const largeLog = await context.largeLog()
    const smallData = context.folder('hub-small')
    const first = await openHub({ data: smallData })
    await first.stop()
    await fillLog({ data: smallData, count: smallEvents })
    await using small = await openHub({ data: smallData, apiKey: first.apiKey })
    await using large = await openHub(largeLog)
    const sides = { small, large }
    const inboxes = manyInboxes()
    for (const hub of [small, large]) await createInboxes(hub, inboxes)
    const named = {
      context,
      folder: context.folder('wrk'),
      sizes: `${toText(smallEvents)} -> ${toText(largeLog.events)} events`,
    }
    return [
      await compareLeases(named, sides, inboxes),
      await compareGets(named, sides),
      await comparePublishes(named, sides),
    ]
  },
}

type Run = { readonly context: Context; readonly folder: string; readonly sizes: string }

/** All inboxes take turns: on a small log from the beginning, on a large one each from a random place, another one each round. */
async function compareLeases(
  { context, folder, sizes }: Run,
  sides: Sides,
  inboxes: readonly string[],
): Promise<Figure> {
  context.say('lease + ack')
  const lease =
    (name: keyof Sides) =>
    async (round: number): Promise<LoadRun> => {
      const hub = sides[name]
      const ids = name === 'large' ? sampleIds(hub, inboxes.length) : []
      await seekInboxes(hub, inboxes, (index) => ids[index] ?? 'earliest')
      const before = readHandedOut(hub.file, inboxes)
      const load = { hub, inboxes, leasesEach, run: `g${round}${name}`, seconds: context.seconds, folder }
      const { answer, cpu } = await measureCpu(hub.pid, () => runLease(load))
      const after = readHandedOut(hub.file, inboxes)
      const count = after.next - before.next - after.leased
      return { rate: count / answer.seconds, count, cpu }
    }
  return toSlowdown(await alternate(context, { small: lease('small'), large: lease('large') }), {
    what: 'lease + ack',
    unit: 'event',
    sizes,
  })
}

async function compareGets({ context, folder, sizes }: Run, sides: Sides): Promise<Figure> {
  context.say('get')
  const get =
    (name: keyof Sides) =>
    async (round: number): Promise<LoadRun> => {
      const { url, apiKey, pid } = sides[name]
      const paths = sampleIds(sides[name], sampledIds).map((id) => `/v1/events/${id}`)
      const rest = ` HTTP/1.1\r\nHost: ${new URL(url).host}\r\nAuthorization: Bearer ${apiKey}\r\n\r\n`
      const load = {
        url,
        script: 'get.lua',
        input: { rest, paths },
        connections: 64,
        seconds: context.seconds,
      } as const
      const inputFile = join(folder, `get-${name}-${round}.lua`)
      const { answer, cpu } = await measureCpu(pid, () => runWrk({ ...load, inputFile }))
      if (answer.failures > 0) throw new Error(`${answer.failures} of ${answer.requests} reads failed`)
      return { rate: answer.perSecond, count: answer.requests, cpu }
    }
  return toSlowdown(await alternate(context, { small: get('small'), large: get('large') }), {
    what: 'get by id',
    unit: 'request',
    sizes,
  })
}

async function comparePublishes({ context, folder, sizes }: Run, sides: Sides): Promise<Figure> {
  context.say('publish')
  const published: PublishResult[] = []
  const after = readHead(sides.large.file)
  const publish = (name: keyof Sides) => async (): Promise<LoadRun> => {
    const result = await runPublish({ ...sides[name], form: 'single', seconds: context.seconds, folder })
    if (name === 'large') published.push(result)
    return result
  }
  const measured = await alternate(context, { small: publish('small'), large: publish('large') })
  const check = checkStored(sides.large.file, { after, published })
  return toSlowdown(measured, { what: 'publish', unit: 'request', sizes, details: [check] })
}

type Naming = {
  readonly what: string
  readonly unit: string
  readonly sizes: string
  readonly details?: readonly string[]
}

function toSlowdown(runs: Record<keyof Sides, LoadRun[]>, { what, unit, sizes, details = [] }: Naming): Figure {
  return toFigure({
    path: `${sizes}: ${what}`,
    against: 'the same hub with the small log',
    unit: '× slower',
    rounds: toRatios(toRates(runs.small), toRates(runs.large)),
    bar: { must: 1.3, aim: 1.1, better: 'lower' },
    details: [
      `large ${toSpread(toRates(runs.large))} ${unit}s/s; ${toCpuText(runs.large, unit)}`,
      `small ${toSpread(toRates(runs.small))} ${unit}s/s; ${toCpuText(runs.small, unit)}`,
      ...details,
    ],
  })
}

/** Ids of events at random places of the log. */
function sampleIds({ file }: FolderHub, count: number): string[] {
  return readStore(file, (db) => {
    const tag = Number(db.prepare(`select tag from workspace where key = 'default'`).get()?.['tag'])
    const table = eventTableOf(db)
    const head = Number(db.prepare(`select max(position) as head from ${table}`).get()?.['head'])
    const accepted = db.prepare(`select accepted_ms from ${table} where position = ?`)
    return Array.from({ length: count }, () => {
      const position = 1 + Math.floor(Math.random() * head)
      return toEventId({ position, acceptedMs: Number(accepted.get(position)?.['accepted_ms']), tag })
    })
  })
}
