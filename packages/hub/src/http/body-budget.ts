import { HubError } from '@sluice/protocol'

/**
 * Bodies that are being read or handled, all together: a thousand connections with 5 MiB each would otherwise take the
 * memory of the machine before the store could say that its queue is full.
 */
const maxBytes = 256 * 1024 * 1024

export type BodyBudget = {
  /** @throws HubError `overloaded` */
  readonly take: (workspaceId: number, bytes: number) => void
  readonly give: (workspaceId: number, bytes: number) => void
}

/** One workspace may fill a quarter: uploads of one tenant that never end must not shut the others out. */
export function createBodyBudget(): BodyBudget {
  const taken = new Map<number, number>()
  let total = 0
  const add = (workspaceId: number, bytes: number): void => {
    total += bytes
    const left = (taken.get(workspaceId) ?? 0) + bytes
    if (left > 0) taken.set(workspaceId, left)
    else taken.delete(workspaceId)
  }
  return {
    take: (workspaceId, bytes) => {
      if (total + bytes > maxBytes || (taken.get(workspaceId) ?? 0) + bytes > maxBytes / 4) {
        throw new HubError(
          'overloaded',
          'the bodies of other requests fill the memory set aside for them; send it again',
        )
      }
      add(workspaceId, bytes)
    },
    give: (workspaceId, bytes) => add(workspaceId, -bytes),
  }
}

/** What one request has taken, from one budget at a time. */
export type Holding = {
  /** In place of what it held before. @throws HubError `overloaded`, and holds nothing */
  readonly hold: (budget: BodyBudget, workspaceId: number, bytes: number) => void
  readonly release: () => void
}

export function createHolding(): Holding {
  let giveBack = (): void => {}
  return {
    hold: (budget, workspaceId, bytes) => {
      giveBack()
      // Until it is taken anew nobody holds it: there is no wait in between.
      giveBack = () => {}
      budget.take(workspaceId, bytes)
      giveBack = () => budget.give(workspaceId, bytes)
    },
    release: () => {
      giveBack()
      giveBack = () => {}
    },
  }
}

/** What a body may take: what it says, or its limit; a packed one is unpacked beside itself. */
export function toBodyBytes(contentLength: string | undefined, isPacked: boolean, limit: number): number {
  const length = Number(contentLength)
  const told = Number.isSafeInteger(length) && length >= 0 ? Math.min(length, limit) : limit
  return isPacked ? told + limit : told
}
