import { createTally, type Tally } from './tally.ts'

/** What an application has committed. */
export type StoredRow = { readonly name: string; readonly subject: string; readonly number: number }
/** What the hub holds, oldest first. */
export type StoredEvent = StoredRow & { readonly id: string }

/**
 * Every committed row must have one event, every event a committed row, and the events of a subject must stand in the order
 * of its numbers, which a lock of the application hands out.
 */
export function compareOutbox(rows: readonly StoredRow[], events: readonly StoredEvent[]): Tally {
  const tally = createTally()
  const byName = Map.groupBy(events, ({ name }) => name)
  const known = new Map(rows.map((row) => [row.name, row]))
  for (const { name } of rows) {
    const count = byName.get(name)?.length ?? 0
    if (count === 0) tally.fault('lost', `row ${name} has no event`)
    if (count > 1) tally.fault('doubled', `row ${name} has ${count} events`)
  }
  for (const { name, number, id } of events) {
    const row = known.get(name)
    if (row === undefined) tally.fault('without a row', `event ${id} tells of ${name}, which was never committed`)
    else if (row.number !== number) tally.fault('damaged', `event ${id} of ${name} has number ${number}`)
  }
  for (const [subject, own] of Map.groupBy(events, (event) => event.subject)) compareOrder(subject, own, tally)
  return tally
}

function compareOrder(subject: string, events: readonly StoredEvent[], tally: Tally): void {
  for (const [at, { name, number }] of events.entries()) {
    const before = events[at - 1]
    if (before !== undefined && before.number > number)
      tally.fault('out of order', `${subject}: ${name} (${number}) comes after ${before.name} (${before.number})`)
  }
}
