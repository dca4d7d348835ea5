/**
 * What this process knows of leases besides the store: which are being asked for right now, and which a stream of its own
 * handed out, so that the stream goes on as soon as its consumer has settled some.
 */
export type LeaseWatch = {
  /** Call the answer when the request for the lease is over; it says whether no other request for it is under way. */
  readonly begin: (lease: LeaseName) => () => boolean
  readonly listen: (lease: LeaseName, listener: LeaseListener) => () => void
  /** `positions` undefined: all */
  readonly noteSettled: (lease: LeaseName, positions: readonly number[] | undefined) => void
  /** One event of an inbox was acknowledged, whoever holds it. */
  readonly noteAcknowledged: (inbox: Omit<LeaseName, 'leaseId'>, position: number) => void
  readonly noteExtended: (lease: LeaseName, untilMs: number) => void
}

type LeaseName = { readonly workspaceId: number; readonly inbox: string; readonly leaseId: string }

type LeaseListener = {
  readonly settled: (positions: readonly number[] | undefined) => void
  readonly extended: (untilMs: number) => void
}

const toPrefix = ({ workspaceId, inbox }: Omit<LeaseName, 'leaseId'>): string => `${workspaceId}/${inbox}/`
const toText = ({ workspaceId, inbox, leaseId }: LeaseName): string => toPrefix({ workspaceId, inbox }) + leaseId

export function createLeaseWatch(): LeaseWatch {
  const underWay = new Map<string, number>()
  const listeners = new Map<string, LeaseListener>()
  return {
    begin: (lease) => {
      const name = toText(lease)
      underWay.set(name, (underWay.get(name) ?? 0) + 1)
      return () => {
        const others = (underWay.get(name) ?? 1) - 1
        if (others > 0) underWay.set(name, others)
        else underWay.delete(name)
        return others === 0
      }
    },
    listen: (lease, listener) => {
      const name = toText(lease)
      listeners.set(name, listener)
      return () => void listeners.delete(name)
    },
    // Most hubs have no leasing stream open: the name is not even put together then.
    noteSettled: (lease, positions) => void (listeners.size > 0 && listeners.get(toText(lease))?.settled(positions)),
    noteAcknowledged: (inbox, position) => {
      const prefix = toPrefix(inbox)
      for (const [name, listener] of listeners) if (name.startsWith(prefix)) listener.settled([position])
    },
    noteExtended: (lease, untilMs) => void (listeners.size > 0 && listeners.get(toText(lease))?.extended(untilMs)),
  }
}
