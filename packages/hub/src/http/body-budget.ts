import { HubError } from '@sluice/protocol'

/**
 * Bodies that are being read or handled, all together: a thousand connections with 5 MiB each would otherwise take the
 * memory of the machine before the store could say that its queue is full.
 */
const maxBytes = 256 * 1024 * 1024

export type BodyBudget = {
  /** @throws HubError `overloaded` */
  readonly take: (bytes: number) => void
  readonly give: (bytes: number) => void
}

export function createBodyBudget(): BodyBudget {
  let taken = 0
  return {
    take: (bytes) => {
      if (taken + bytes > maxBytes) {
        throw new HubError(
          'overloaded',
          'the bodies of other requests fill the memory set aside for them; send it again',
        )
      }
      taken += bytes
    },
    give: (bytes) => {
      taken -= bytes
    },
  }
}

/** What a body may take: what it says, or its limit; a packed one is unpacked beside itself. */
export function toBodyBytes(contentLength: string | undefined, isPacked: boolean, limit: number): number {
  const told = contentLength === undefined ? limit : Math.min(Number(contentLength), limit)
  return isPacked ? told + limit : told
}
