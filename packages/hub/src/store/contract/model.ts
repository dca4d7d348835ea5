/**
 * What an inbox owes, in memory: where each event of it stands, and what may be handed out. The store must agree with it
 * after every step; where the contract leaves a choice, the model allows each.
 */
export type Place =
  /** not looked at */
  | { readonly at: 'new' }
  /** given back, passed over or replayed; `half`: only together with others of the same half; `before`: the lease that ran out */
  | {
      readonly at: 'back'
      readonly availableMs: number
      readonly attempt: number
      readonly half: number | null
      readonly before: string | null
    }
  | { readonly at: 'leased'; readonly leaseId: string; readonly untilMs: number; readonly attempt: number }
  | { readonly at: 'acked' | 'passed' | 'dead' }

type ModelEvent = { readonly wanted: boolean; readonly subject: string | null; place: Place }

export type ModelSettings = {
  readonly ordering: 'none' | 'key'
  readonly onDead: 'continue' | 'block'
  readonly maxAttempts: number
}

export type Model = {
  readonly settings: ModelSettings
  /** by position, in order */
  readonly events: Map<number, ModelEvent>
  /** attempts of dead letters; after a seek an event may be on its way again and still be one */
  readonly dead: Map<number, number>
  /** positions of each lease in the order in which they were handed out */
  readonly leases: Map<string, readonly number[]>
  /** all that was ever handed out under a lease's name */
  readonly handedOut: Map<string, ReadonlySet<number>>
  /** leases from before a seek */
  readonly voided: Set<string>
  active: boolean
  halves: number
}

export function createModel(settings: ModelSettings): Model {
  return {
    settings,
    events: new Map(),
    dead: new Map(),
    leases: new Map(),
    handedOut: new Map(),
    voided: new Set(),
    active: true,
    halves: 0,
  }
}

export const backAgain = (attempt = 0): Place => ({ at: 'back', availableMs: 0, attempt, half: null, before: null })

export function placeOf(model: Model, position: number): Place | undefined {
  return model.events.get(position)?.place
}

export function move(model: Model, position: number, place: Place): void {
  const event = model.events.get(position)
  if (event) event.place = place
}

/** What a lease holds, as far as nobody has settled it, in the order of the hand-out. */
export function heldBy(model: Model, leaseId: string): number[] {
  return (model.leases.get(leaseId) ?? []).filter((position) => {
    const place = placeOf(model, position)
    return place?.at === 'leased' && place.leaseId === leaseId
  })
}

/** Leases that have run out give back what they hold: of several events two halves, each to be leased alone. */
export function sweep(model: Model, nowMs: number): void {
  for (const leaseId of model.leases.keys()) {
    const held = heldBy(model, leaseId)
    const half = Math.ceil(held.length / 2)
    const first = (model.halves += 2)
    for (const [index, position] of held.entries()) {
      const place = placeOf(model, position)
      if (place?.at !== 'leased' || place.untilMs > nowMs) continue
      if (held.length === 1 && place.attempt >= model.settings.maxAttempts) bury(model, position, place.attempt)
      else {
        const group = first + (index < half ? 0 : 1)
        move(model, position, { at: 'back', availableMs: 0, attempt: place.attempt, half: group, before: leaseId })
      }
    }
  }
}

export function bury(model: Model, position: number, attempts: number): void {
  model.dead.set(position, attempts)
  move(model, position, { at: 'dead' })
}

/** A new generation: nothing is leased or parked any more; what stands at the position or after it is new. */
export function seek(model: Model, target: number): void {
  for (const leaseId of model.leases.keys()) model.voided.add(leaseId)
  for (const [position, event] of model.events) {
    if (position >= target) event.place = { at: 'new' }
    else if (event.place.at !== 'acked' && event.place.at !== 'dead') event.place = { at: 'passed' }
  }
}

/**
 * With an order: the event is the earliest of its subject that is not done, and none of them is out. What was replayed past
 * the filter does not wait for events that were not looked at.
 */
function isFirst(model: Model, position: number, subject: string | null): boolean {
  if (model.settings.ordering === 'none' || subject === null) return true
  const isWanted = model.events.get(position)?.wanted
  for (const [other, event] of model.events) {
    if (event.subject !== subject || other === position) continue
    if (event.place.at === 'leased') return false
    const waits = event.place.at === 'back' || (event.place.at === 'new' && event.wanted && isWanted)
    if (other < position && waits) return false
    if (model.settings.onDead === 'block' && model.dead.has(other)) return false
  }
  return model.settings.onDead !== 'block' || !model.dead.has(position)
}

export type Candidates = {
  /** given back, without a half */
  readonly plain: number[]
  /** those that must be leased apart, by their half */
  readonly halves: Map<number, number[]>
  /** not looked at, lowest first */
  readonly fresh: number[]
}

/** What may be handed out now. */
export function candidates(model: Model, nowMs: number): Candidates {
  const found: Candidates = { plain: [], halves: new Map(), fresh: [] }
  if (!model.active) return found
  for (const [position, { place, wanted, subject }] of model.events) {
    if (!isFirst(model, position, subject)) continue
    if (place.at === 'new' && wanted) found.fresh.push(position)
    if (place.at !== 'back' || place.availableMs > nowMs) continue
    if (place.half === null) found.plain.push(position)
    else found.halves.set(place.half, [...(found.halves.get(place.half) ?? []), position])
  }
  return found
}

export const attemptOf = (place: Place | undefined): number =>
  place?.at === 'back' || place?.at === 'leased' ? place.attempt : 0

/** Counted from the newest. */
export function leaseNamed(model: Model, number: number): string | undefined {
  return [...model.leases.keys()].toReversed()[number]
}

/** Counted from the newest; one beyond the oldest is the position after the log's end. */
export function eventAt(model: Model, number: number): number {
  const positions = [...model.events.keys()]
  const last = positions.at(-1) ?? 0
  return positions.toReversed()[number % (positions.length + 1)] ?? last + 1
}
