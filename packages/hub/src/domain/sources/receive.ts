import { hash } from 'node:crypto'
import { HubError, type SourceOutcome } from '@sluice/protocol'
import {
  beginVerification,
  explainMessage,
  isRefusal,
  type Verified,
  type WebhookMessage,
  type WebhookRefusal,
} from '@sluice/protocol/webhooks'
import type { SourceRow } from '../../store/sources.ts'
import type { Context, Workspace } from '../context.ts'
import { toNotes, type Published } from '../publish.ts'
import { storeEvents } from '../store-events.ts'
import { requireWorkspace } from '../workspaces.ts'
import { answerHandshake } from './handshake.ts'
import { openSecrets, type OpenedSecrets } from './secrets.ts'
import { requireSource, settingsOf } from './sources.ts'
import { tellFailing } from './tell-failing.ts'
import { toDraft, type Arrived } from './to-draft.ts'

/** A request to a source. `read` and `unpack` are called only for a message whose head is in order. */
export type Inbound = Omit<WebhookMessage, 'body'> &
  Pick<Arrived, 'headerNames'> & {
    readonly traceparent?: string | undefined
    /** @param limit bytes at most */
    readonly read: (source: {
      readonly id: string
      readonly workspaceId: number
      readonly limit: number
    }) => Promise<Buffer>
    readonly unpack: (body: Buffer, limit: number) => Promise<Buffer>
  }

/** What the sender is answered. */
export type Received =
  | { readonly kind: 'published'; readonly published: Published }
  /** of a handshake */
  | { readonly kind: 'answer'; readonly body: unknown }

/** @throws HubError `not-found` */
export async function findSourceAt(
  context: Pick<Context, 'store'>,
  place: { readonly workspace: string; readonly source: string },
): Promise<{ workspace: Workspace; row: SourceRow }> {
  const workspace = await requireWorkspace(context, place.workspace)
  return { workspace, row: await requireSource(context, workspace, place.source) }
}

type SourceAt = Awaited<ReturnType<typeof findSourceAt>>

/**
 * Takes a webhook: verifies it as it was sent, and stores it. What became of it is noted for the owner; why it was refused is
 * told to nobody else.
 *
 * @throws HubError `webhook-refused`, `payload-too-large`, `body-incomplete`, `unsupported-media-type`, `schema-mismatch`,
 *   `unknown-event-type`, `overloaded`, `storage-unavailable`
 */
export async function receiveWebhook(context: Context, at: SourceAt, inbound: Inbound): Promise<Received> {
  const { sourceNotes } = context
  const source = { workspaceId: at.workspace.id, id: at.row.id }
  try {
    const received = await receive(context, at, inbound)
    sourceNotes.countRefusals(source, false)
    sourceNotes.count(source, received.kind === 'answer' ? 'handshake' : outcomeOf(received.published))
    return received
  } catch (error) {
    if (error instanceof Refusal) throw await noteRefusal(context, at, error)
    const outcome = (error instanceof HubError && outcomes[error.code]) || 'failed'
    sourceNotes.count(source, outcome)
    sourceNotes.fail(source, { atMs: context.store.nowMs(), outcome, cause: null, reason: toReason(error) })
    throw error
  }
}

function toReason(error: unknown): string {
  if (!(error instanceof HubError)) return 'the hub failed; its log holds the cause'
  return error.cause instanceof HubError ? error.cause.message : error.message
}

const outcomeOf = ({ status }: Published): SourceOutcome => (status === 'scheduled' ? 'accepted' : status)

const outcomes: Readonly<Partial<Record<HubError['code'], SourceOutcome>>> = {
  'payload-too-large': 'too-large',
  'body-incomplete': 'unreadable',
  'unsupported-media-type': 'unreadable',
  'validation-error': 'unreadable',
  'schema-mismatch': 'refused',
  'unknown-event-type': 'refused',
}

/** A signature that is not right, with what the owner may know. */
class Refusal extends Error {
  readonly refusal: WebhookRefusal
  readonly finding: { readonly cause: string | null; readonly reason: string }

  constructor(refusal: WebhookRefusal, finding: Refusal['finding']) {
    super(refusal.message)
    this.refusal = refusal
    this.finding = finding
  }
}

async function receive(context: Context, at: SourceAt, inbound: Inbound): Promise<Received> {
  const { row, workspace } = at
  const settings = settingsOf(row)
  const secrets = open(context, row)
  const raw = await prove(context, { at, inbound, secrets })
  const body = await inbound.unpack(raw.body, settings.max_bytes)
  const { header, headerNames, traceparent } = inbound
  const arrived: Arrived = {
    row,
    settings,
    header,
    headerNames,
    body,
    signedId: raw.verified.id,
    signed: digestOf(raw.verified),
    notes: toNotes(traceparent),
  }
  const answer = answerHandshake(settings.handshake, arrived)
  if (answer !== undefined) return { kind: 'answer', body: answer }
  return { kind: 'published', published: await publish(context, workspace, arrived) }
}

/** That the hub has lost its key is none of the sender's business. */
function open({ sealing, store }: Context, row: SourceRow): OpenedSecrets {
  try {
    return openSecrets(sealing, row, store.nowMs())
  } catch (cause) {
    throw new HubError('storage-unavailable', 'this source cannot verify anything just now; send it again later', {
      cause,
    })
  }
}

type Proving = { readonly at: SourceAt; readonly inbound: Inbound; readonly secrets: OpenedSecrets }

/** The head first: what cannot be right is not read. */
async function prove(context: Context, proving: Proving): Promise<{ body: Buffer; verified: Verified }> {
  const { at, inbound, secrets } = proving
  const { scheme, hmac, max_bytes: limit } = settingsOf(at.row)
  const rules = { scheme, hmac, secrets: secrets.current }
  const nowMs = context.store.nowMs()
  const begun = await beginVerification(rules, inbound, nowMs)
  const source = { id: at.row.id, workspaceId: at.workspace.id }
  if (isRefusal(begun)) throw await refuse(context, proving, { refusal: begun, body: undefined })
  const body = await inbound.read({ ...source, limit })
  const ended = await begun.prove({ ...inbound, body })
  if (isRefusal(ended)) throw await refuse(context, proving, { refusal: ended, body })
  return { body, verified: ended }
}

/** Trying other ways of printing a body of this size takes some 40 ms. */
const variedBytes = 64 * 1024

type Refused = { readonly refusal: WebhookRefusal; readonly body: Buffer | undefined }

/** Looks for the reason, unless enough has been looked into just now. */
async function refuse(context: Context, proving: Proving, { refusal, body }: Refused): Promise<Refusal> {
  const { at, inbound, secrets } = proving
  const plain = new Refusal(refusal, { cause: refusal.reason === 'stale' ? 'clock' : null, reason: refusal.message })
  // Of a message that is too old the body was not read.
  if ((body === undefined && refusal.reason === 'stale') || !context.sourceNotes.mayExplain()) return plain
  const { scheme, hmac } = settingsOf(at.row)
  const options = { scheme, hmac, secrets: secrets.current, oldSecrets: secrets.earlier, variedBytes }
  const message = { ...inbound, body: body ?? new Uint8Array(0) }
  const found = await explainMessage(options, message, context.store.nowMs())
  return found ? new Refusal(refusal, { cause: found.cause, reason: found.advice }) : plain
}

async function noteRefusal(context: Context, at: SourceAt, { refusal, finding }: Refusal): Promise<HubError> {
  const { sourceNotes, store } = context
  const source = { workspaceId: at.workspace.id, id: at.row.id }
  const outcome = outcomeOfRefusal(refusal)
  sourceNotes.count(source, outcome)
  sourceNotes.fail(source, { atMs: store.nowMs(), outcome, ...finding })
  const refused = sourceNotes.countRefusals(source, true)
  await tellFailing(context, at, { refused, outcome, ...finding })
  return new HubError('webhook-refused', 'the signature was refused; the owner of the source can see why in its report')
}

function outcomeOfRefusal({ reason }: WebhookRefusal): SourceOutcome {
  if (reason === 'stale' || reason === 'mismatch') return reason
  return reason.endsWith('-missing') ? 'unsigned' : 'malformed'
}

/**
 * Of a scheme that signs the time: what was signed is the same message. Its signature would not do: the field may hold several,
 * and who repeats the message chooses which of them, and what stands beside them.
 */
const digestOf = ({ timestampMs, signed }: Verified): string | undefined =>
  timestampMs === null || signed === null ? undefined : hash('sha256', signed)

/** An id that came before with another body: a rule that takes the wrong member for the id must not lose events. */
async function publish(context: Context, workspace: Workspace, arrived: Arrived): Promise<Published> {
  const first = await store(context, workspace, toDraft(arrived))
  const isReused = first instanceof HubError && first.code === 'idempotency-mismatch'
  const published = isReused ? await store(context, workspace, toDraft(arrived, true)) : first
  if (published instanceof HubError) throw published
  return published
}

async function store(
  context: Context,
  workspace: Workspace,
  draft: ReturnType<typeof toDraft>,
): Promise<Published | HubError> {
  const [published] = await storeEvents(context, workspace, [draft])
  if (!published) throw new Error('a webhook was left out')
  return published
}
