/** By the list of events that was written: whether the transaction that it was written in is open. */
const transactions = new WeakMap<object, () => boolean>()

/** For an outbox: remembers in which transaction a list of events was written. */
export function noteTransaction(events: object, isOpen: () => boolean): void {
  transactions.set(events, isOpen)
}

/** Whether these events were written in a transaction that may still be rolled back; false where nobody can see it. */
export function isInTransaction(events: object): boolean {
  return transactions.get(events)?.() ?? false
}
