import assert from 'node:assert/strict'
import { attemptOf, placeOf, type Model } from './model.ts'
import { assertSame, type Stage } from './stage.ts'

export type World = { readonly stage: Stage; readonly model: Model; readonly log: string[] }

/** Compares everything that the store shows with the model. */
export async function checkWorld({ stage, model }: World): Promise<void> {
  const nowMs = stage.store.nowMs()
  await checkDeadLetters(stage, model)
  const found = await Promise.all([...model.events.keys()].map((position) => stage.verdict(position)))
  for (const [number, [position, event]] of [...model.events].entries()) {
    const { verdict, leaseId, attempts: told } = found[number]!
    const allowed = verdicts(model, { position, nowMs })
    assert.ok(allowed.includes(verdict), `verdict on ${position}: ${verdict}, not ${allowed.join(' or ')}`)
    if (event.place.at === 'leased' && verdict === 'leased') assert.equal(leaseId, event.place.leaseId)
    // Attempts of a generation before may be told as long as there is none in this one.
    const attempts = attemptOf(event.place)
    if (attempts > 0 && verdict !== 'dead') assert.equal(told, attempts, `attempts of ${position}`)
  }
  await checkProgress(stage, model)
}

async function checkDeadLetters(stage: Stage, model: Model): Promise<void> {
  const letters = await stage.store.listDeadLetters(stage.id, 'crm', { after: 0, limit: 1000 })
  for (const { position, attempts } of letters)
    assert.equal(attempts, model.dead.get(position), `dead letter ${position}`)
  // One whose event is on its way again after a seek may have gone with it.
  for (const position of model.dead.keys()) {
    if (letters.some((letter) => letter.position === position)) continue
    assert.notEqual(placeOf(model, position)?.at, 'dead', `dead letter ${position} is gone`)
    model.dead.delete(position)
  }
}

function verdicts(model: Model, { position, nowMs }: { position: number; nowMs: number }): string[] {
  const event = model.events.get(position)
  const stale = model.dead.has(position) ? ['dead'] : []
  if (!event) return []
  const { place, wanted } = event
  switch (place.at) {
    case 'new':
      return [wanted ? 'waiting' : 'filtered', ...stale]
    case 'back':
      return [place.availableMs > nowMs ? 'parked' : 'waiting', ...stale]
    case 'leased':
      return [...(place.untilMs > nowMs ? ['leased'] : ['leased', 'waiting']), ...stale]
    case 'acked':
      // One that was replayed past the filter and is acknowledged before the inbox came to it.
      return ['acknowledged', ...(wanted ? [] : ['filtered']), ...stale]
    case 'passed':
      return ['passed-by-seek', ...(wanted ? [] : ['filtered']), ...stale]
    case 'dead':
      return ['dead']
  }
}

async function checkProgress(stage: Stage, model: Model): Promise<void> {
  const nowMs = stage.store.nowMs()
  const { leased, parked, dead } = await stage.store.readProgress(stage.id, 'crm')
  const places = [...model.events.values()].map(({ place }) => place)
  assertSame(
    { leased, parked, dead },
    {
      leased: places.filter((place) => place.at === 'leased' && place.untilMs > nowMs).length,
      parked: places.filter((place) => place.at === 'back' && place.availableMs > nowMs).length,
      dead: model.dead.size,
    },
    'progress',
  )
  const peeked = await stage.peek()
  const waiting = [...model.events]
    .filter(([, { place, wanted }]) => place.at === 'back' || (place.at === 'new' && wanted))
    .map(([position]) => position)
  const lapsed = [...model.events]
    .filter(([, { place }]) => place.at === 'leased' && place.untilMs <= nowMs)
    .map(([position]) => position)
  assert.deepEqual(
    peeked.filter((position) => !lapsed.includes(position)),
    waiting,
    'peeking',
  )
}
