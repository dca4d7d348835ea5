import { createHash } from 'node:crypto'

/** What a publisher knows of one event that it has sent, maybe several times. */
export type Sent = {
  readonly n: number
  /** undefined: sent without an idempotency key, so that a second try may store it twice */
  readonly key: string | undefined
  readonly subject: string
  readonly digest: string
  /** ids that 2xx answers gave; more than one means that it was doubled */
  readonly ids: Set<string>
  /** tries whose outcome nobody told */
  unknown: number
  /** tries that were answered with "nothing was stored" */
  refused: number
}

/** One event in one answer of the hub to a consumer. */
export type HandedOut = {
  readonly id: string
  readonly n: number
  readonly digest: string
  readonly attempt: number
  readonly leaseId: string
  readonly leasedUntilMs: number
  readonly askedMs: number
  readonly receivedMs: number
}

/** What the consumers of one inbox know. */
export type InboxLedger = {
  /** it has a single consumer, who waits for each answer and gives nothing back: first hand-outs come in log order */
  readonly inOrder: boolean
  /** it hands out the events of one subject one after the other */
  readonly byKey: boolean
  /** in the order in which the answers came */
  readonly handedOut: HandedOut[]
  /** when the hub confirmed the acknowledgement, by id */
  readonly acked: Map<string, number>
  /** given back by consumers, by lease and id: `leaseId id` */
  readonly released: Set<string>
  /** lease ids whose answer was lost; asking again under them gives the same events */
  readonly unanswered: string[]
}

/** What one reader of the whole log has seen, in order. */
export type Follower = { readonly inbox: string; readonly ids: string[]; cursor: string | undefined }

export type Ledger = {
  readonly sent: Map<number, Sent>
  readonly inboxes: Map<string, InboxLedger>
  /** ids in the order in which one publisher, who waits for each answer, was given them */
  readonly sequences: string[][]
  readonly followers: Follower[]
}

type InboxKind = { readonly inOrder: boolean; readonly byKey?: boolean }

export function createLedger(inboxes: Readonly<Record<string, InboxKind>>): Ledger {
  const toOwn = ({ inOrder, byKey = false }: InboxKind): InboxLedger => {
    return { inOrder, byKey, handedOut: [], acked: new Map(), released: new Set(), unanswered: [] }
  }
  return {
    sent: new Map(),
    inboxes: new Map(Object.entries(inboxes).map(([key, kind]) => [key, toOwn(kind)])),
    sequences: [],
    followers: [],
  }
}

/** 64 bits of SHA-256 over the payload as JSON prints it; the hub keeps payloads as received, member order included. */
export function toDigest(payload: unknown): string {
  return createHash('sha256').update(JSON.stringify(payload)).digest('hex').slice(0, 16)
}

export function inboxLedger(ledger: Ledger, inbox: string): InboxLedger {
  const found = ledger.inboxes.get(inbox)
  if (found === undefined) throw new Error(`the ledger has no inbox "${inbox}"`)
  return found
}
