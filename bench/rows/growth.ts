import { join } from 'node:path'
import { toEventId } from '@sluice/protocol'
import { toFigure, toRatios, toSpread, toText } from '../figure.ts'
import { eventTableOf, openHub, readHead, readStore, type Hub } from '../hub.ts'
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

type Sides = { readonly small: Hub; readonly large: Hub }

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

/** All inboxes take turns, each from a place of its own in the log. Every round begins at new places. */
async function compareLeases(
  { context, folder, sizes }: Run,
  sides: Sides,
  inboxes: readonly string[],
): Promise<Figure> {
  context.say('lease + ack')
  const lease =
    (name: keyof Sides) =>
    async (round: number): Promise<number> => {
      const hub = sides[name]
      await seekApart(hub, inboxes)
      const before = readHandedOut(hub.file, inboxes)
      const result = await runLease({
        hub,
        inboxes,
        leasesEach,
        run: `g${round}${name}`,
        seconds: context.seconds,
        folder,
      })
      const after = readHandedOut(hub.file, inboxes)
      return (after.next - before.next - after.leased) / result.seconds
    }
  return toSlowdown(await alternate(context, { small: lease('small'), large: lease('large') }), {
    what: 'lease + ack',
    unit: 'events/s',
    sizes,
  })
}

/** On a small log all inboxes begin at the beginning; on a large one each at a random place. */
async function seekApart(hub: Hub, inboxes: readonly string[]): Promise<void> {
  const ids = readHead(hub.file) > smallEvents * 100 ? sampleIds(hub, inboxes.length) : []
  await seekInboxes(hub, inboxes, (index) => ids[index] ?? 'earliest')
}

async function compareGets({ context, folder, sizes }: Run, sides: Sides): Promise<Figure> {
  context.say('get')
  const get =
    (name: keyof Sides) =>
    async (round: number): Promise<number> => {
      const { url, apiKey } = sides[name]
      const paths = sampleIds(sides[name], sampledIds).map((id) => `/v1/events/${id}`)
      const input = {
        rest: ` HTTP/1.1\r\nHost: ${new URL(url).host}\r\nAuthorization: Bearer ${apiKey}\r\n\r\n`,
        paths,
      }
      const inputFile = join(folder, `get-${name}-${round}.lua`)
      const result = await runWrk({
        url,
        script: 'get.lua',
        input,
        inputFile,
        connections: 64,
        seconds: context.seconds,
      })
      if (result.failures > 0) throw new Error(`${result.failures} of ${result.requests} reads failed`)
      return result.perSecond
    }
  return toSlowdown(await alternate(context, { small: get('small'), large: get('large') }), {
    what: 'get by id',
    unit: 'req/s',
    sizes,
  })
}

async function comparePublishes({ context, folder, sizes }: Run, sides: Sides): Promise<Figure> {
  context.say('publish')
  const published: PublishResult[] = []
  const after = readHead(sides.large.file)
  const publish = (name: keyof Sides) => async (): Promise<number> => {
    const { url, apiKey } = sides[name]
    const result = await runPublish({ url, apiKey, form: 'single', seconds: context.seconds, folder })
    if (name === 'large') published.push(result)
    return result.perSecond
  }
  const measured = await alternate(context, { small: publish('small'), large: publish('large') })
  const check = checkStored(sides.large.file, { after, published })
  return toSlowdown(measured, { what: 'publish', unit: 'req/s', sizes, details: [check] })
}

type Naming = {
  readonly what: string
  readonly unit: string
  readonly sizes: string
  readonly details?: readonly string[]
}

function toSlowdown(rates: Record<keyof Sides, number[]>, { what, unit, sizes, details = [] }: Naming): Figure {
  return toFigure({
    path: `${sizes}: ${what}`,
    against: 'the same hub with the small log',
    unit: '× slower',
    rounds: toRatios(rates.small, rates.large),
    bar: { must: 1.3, aim: 1.1, better: 'lower' },
    details: [`large ${toSpread(rates.large)} ${unit}, small ${toSpread(rates.small)} ${unit}`, ...details],
  })
}

/** Ids of events at random places of the log. */
function sampleIds({ file }: Hub, count: number): string[] {
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
