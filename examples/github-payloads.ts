import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createSluice, type Filter } from '@sluice/client'
import { createAdmin } from '@sluice/client/admin'

// 1,000 events made of real GitHub payloads, published under their own event types; three inboxes that each want some of
// them; two worker processes for each inbox, of which one is killed in the middle of its work. In the end every event has been
// worked in every inbox that wants it, and nothing is left.
const total = 1000
const run = crypto.randomUUID().slice(0, 8)
const options = { baseUrl: process.env.SLUICE_URL, apiKey: process.env.SLUICE_API_KEY, source: `github-${run}` }
const sluice = createSluice(options)
const admin = createAdmin(options)

type Payload = { readonly action?: unknown; readonly repository?: { readonly full_name?: string } }
type Delivery = { readonly type: string; readonly payload: Payload }

type InboxPlan = {
  readonly key: string
  readonly filter: Filter
  /** the same in words of this program, to check the hub by */
  readonly wants: (delivery: Delivery) => boolean
}

const sources = [options.source]
const plans: readonly InboxPlan[] = [
  {
    key: `github-code-${run}`,
    filter: { sources, event_types: ['github.push', 'github.create', 'github.delete', 'github.pull_request*'] },
    wants: ({ type }) => /^github\.(push|create|delete|pull_request.*)$/.test(type),
  },
  {
    key: `github-talk-${run}`,
    filter: { sources, event_types: ['github.issue*', 'github.discussion*'] },
    wants: ({ type }) => /^github\.(issue|discussion)/.test(type),
  },
  {
    key: `github-hello-${run}`,
    filter: { sources, payload: [{ pointer: '/repository/full_name', equals: 'Codertocat/Hello-World' }] },
    wants: ({ payload }) => payload.repository?.full_name === 'Codertocat/Hello-World',
  },
]

const [role, inboxKey] = process.argv.slice(2)
if (role === 'worker' && inboxKey !== undefined) await work(inboxKey)
else await main()

async function main(): Promise<void> {
  for (const { key, filter } of plans) await admin.putInbox(key, { filter, lease_seconds: 2 })
  const deliveries = await publish(readDeliveries())
  const crews = await Promise.all(plans.map(({ key }) => runCrew(key)))
  const verdicts = await collectVerdicts(deliveries.keys())
  let faults = 0
  for (const [index, plan] of plans.entries()) {
    const wanted = [...deliveries].filter(([, delivery]) => plan.wants(delivery)).map(([eventId]) => eventId)
    faults += await report(plan.key, { wanted, worked: crews[index]?.worked ?? new Map(), verdicts })
    await admin.deleteInbox(plan.key)
  }
  console.log(faults === 0 ? `${total} events: none lost, none left` : `${faults} faults`)
  process.exitCode = faults === 0 ? 0 : 1
}

/** The payloads of github.com and of five GitHub Enterprise versions, as many times round as it takes. */
function readDeliveries(): Delivery[] {
  const editions = ['api.github.com', 'ghes-31', 'ghes-32', 'ghes-33', 'ghes-34', 'ghes-35']
  const folder = import.meta.resolve('@octokit/webhooks-examples/package.json')
  const payloads = editions.flatMap((edition) => {
    const file = new URL(`${edition}/index.json`, folder)
    const definitions: { name: string; examples: Payload[] }[] = JSON.parse(readFileSync(file, 'utf8'))
    return definitions.flatMap(({ name, examples }) =>
      examples.map((payload) => ({ type: toType(name, payload), payload })),
    )
  })
  const types = new Set(payloads.map(({ type }) => type))
  console.log(`${payloads.length} payloads of ${types.size} event types, for ${total} events`)
  return Array.from({ length: total }, (_, index) => payloads[index % payloads.length]).filter(
    (item) => item !== undefined,
  )
}

function toType(name: string, { action }: Payload): string {
  return typeof action === 'string' ? `github.${name}.${action}` : `github.${name}`
}

/** By event id. */
async function publish(deliveries: readonly Delivery[]): Promise<Map<string, Delivery>> {
  const events = deliveries.map(({ type, payload }) => ({ event_type: type, payload }))
  const { results } = await sluice.events.sendBatch(events)
  const published = new Map<string, Delivery>()
  for (const [index, delivery] of deliveries.entries()) {
    const result = results[index]
    if (!result || 'error' in result) throw new Error(`${delivery.type} was refused: ${JSON.stringify(result)}`)
    published.set(result.event_id, delivery)
  }
  console.log(`published ${published.size}`)
  return published
}

/** How often each event was worked, and how often one was handed out that had been handed out before. */
type Crew = { readonly worked: Map<string, number>; again: number }
type Message = { readonly eventId: string; readonly attempt: number }

/** Two workers compete; the first is killed after its tenth event, the second goes on until the inbox is empty. */
async function runCrew(key: string): Promise<Crew> {
  const crew: Crew = { worked: new Map(), again: 0 }
  const [victim, survivor] = [startWorker(key), startWorker(key)]
  await Promise.all([once(victim, 'message'), once(survivor, 'message')])
  let byVictim = 0
  victim.on('message', (message: Message) => {
    note(crew, message)
    byVictim += 1
    if (byVictim === 10) victim.kill('SIGKILL')
  })
  survivor.on('message', (message: Message) => note(crew, message))
  victim.send('go')
  survivor.send('go')
  const [, signal] = await once(victim, 'exit')
  await waitUntilEmpty(key)
  const ended = once(survivor, 'exit')
  survivor.disconnect()
  const [code] = await ended
  console.log(
    `${key}: one worker ended by ${signal}, the other with ${code}; ${crew.again} hand-outs were not the first`,
  )
  return crew
}

function note(crew: Crew, { eventId, attempt }: Message): void {
  crew.worked.set(eventId, (crew.worked.get(eventId) ?? 0) + 1)
  if (attempt > 1) crew.again += 1
}

async function waitUntilEmpty(key: string): Promise<void> {
  const deadline = performance.now() + 60_000
  while (performance.now() < deadline && (await countLeft(key)) > 0) await sleep(250)
}

async function countLeft(key: string): Promise<number> {
  const { behind, waiting, leased, parked, dead } = await admin.getInbox(key)
  return behind + waiting + leased + parked + dead
}

function startWorker(key: string): ChildProcess {
  return fork(fileURLToPath(import.meta.url), ['worker', key])
}

/** A worker process: begins when it is told to, stops when the one that started it lets go of it, or is gone. */
async function work(key: string): Promise<void> {
  const stop = new AbortController()
  process.once('disconnect', () => stop.abort())
  const told = once(process, 'message')
  await tell('ready')
  await told
  await sluice.inbox(key).work(
    async ({ event_id: eventId, attempt }) => {
      await sleep(5)
      await tell({ eventId, attempt })
    },
    { concurrency: 4, leaseSeconds: 2, signal: stop.signal },
  )
}

function tell(message: Message | 'ready'): Promise<unknown> {
  return new Promise((told) => process.send?.(message, undefined, {}, told))
}

type Verdicts = ReadonlyMap<string, ReadonlyMap<string, string>>

/** What each inbox says of each event: by event id, then by inbox. */
async function collectVerdicts(eventIds: Iterable<string>): Promise<Verdicts> {
  const verdicts = new Map<string, Map<string, string>>()
  for (const eventId of eventIds) {
    const explained = await admin.explainEvent(eventId)
    verdicts.set(eventId, new Map(explained.verdicts.map(({ inbox, verdict }) => [inbox, verdict])))
  }
  return verdicts
}

type Outcome = {
  readonly wanted: readonly string[]
  readonly worked: ReadonlyMap<string, number>
  readonly verdicts: Verdicts
}

/** Prints what became of the events of an inbox, and counts what should not be. */
async function report(key: string, { wanted, worked, verdicts }: Outcome): Promise<number> {
  const lost = wanted.filter((eventId) => !worked.has(eventId)).length
  const strangers = [...worked.keys()].filter((eventId) => !wanted.includes(eventId)).length
  const twice = [...worked.values()].filter((times) => times > 1).length
  const all = [...verdicts.values()].map((byInbox) => byInbox.get(key))
  const acknowledged = all.filter((verdict) => verdict === 'acknowledged').length
  const filtered = all.filter((verdict) => verdict === 'filtered').length
  const left = await countLeft(key)
  console.log(
    `${key}: ${wanted.length} wanted, ${worked.size} worked, ${acknowledged} acknowledged, ${filtered} filtered out, ` +
      `${twice} worked twice, ${lost} lost, ${left} left`,
  )
  return lost + strangers + left + Math.abs(wanted.length - acknowledged) + Math.abs(total - acknowledged - filtered)
}
