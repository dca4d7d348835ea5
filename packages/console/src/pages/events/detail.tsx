import type { Event, Verdict } from '@sluice/client/admin'
import { go, here, toHref, useAddress } from '../../address.ts'
import { useLoad } from '../../hooks/use-load.ts'
import { hub, toFailure } from '../../hub.ts'
import { useMay } from '../../session.ts'
import { Copy, copyText } from '../../ui/copy.tsx'
import { useCommands } from '../../ui/commands.ts'
import { ask } from '../../ui/dialog.tsx'
import { toBytes } from '../../ui/format.ts'
import { Json } from '../../ui/json.tsx'
import { Broken, Skeleton } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { say } from '../../ui/toast.tsx'
import { CopyAs } from './copy-as.tsx'
import { Verdicts } from './verdicts.tsx'

/** Everything that is known of one event, on one screen. */
export function EventDetail({ id }: { readonly id: string }) {
  const { query } = useAddress()
  const event = useLoad(`event ${id}`, (signal) => hub.getEvent(id, { signal }))
  const explained = useLoad(`explain ${id}`, async (signal) => (await hub.explainEvent(id, { signal })).verdicts)
  const mayReplay = useMay('inbox')
  const replay = async (verdict: Verdict): Promise<void> => {
    if (await replayIn(id, verdict)) explained.reload()
  }
  const first = explained.value?.find(({ inbox }) => inbox === query['inbox']) ?? explained.value?.[0]
  const close = (): void => go(['events'], here().query)
  useCommands([
    { name: 'Close the event', key: 'Escape', run: close },
    { name: 'Copy the event id', key: 'c', run: () => void copyText(id, 'event id') },
    ...(mayReplay && first
      ? [{ name: `Replay the event in ${first.inbox}`, key: 'r', run: () => void replay(first) }]
      : []),
  ])
  return (
    <article class="detail">
      <header class="detail-head">
        <a class="ghost button small" href={toHref(['events'], query)} title="Back to the list (Esc)">
          <span aria-hidden="true">←</span> <span class="back-word">Events</span>
        </a>
        <h2>{event.value?.event_type ?? (event.failure ? 'Event' : ' ')}</h2>
        {event.value && <CopyAs event={event.value} />}
      </header>
      {event.value && <Facts event={event.value} />}
      <h3>What became of it</h3>
      {explained.value ? (
        <Verdicts verdicts={explained.value} onReplay={mayReplay ? replay : undefined} />
      ) : explained.failure ? (
        <Broken failure={explained.failure} retry={explained.reload} />
      ) : (
        <Skeleton rows={2} />
      )}
      {event.failure ? (
        event.failure.title === explained.failure?.title ? null : (
          <Broken failure={event.failure} retry={event.reload} />
        )
      ) : event.value ? (
        <Content event={event.value} />
      ) : (
        <Skeleton rows={6} />
      )}
    </article>
  )
}

async function replayIn(id: string, { inbox, verdict, rule }: Verdict): Promise<boolean> {
  const isFiltered = verdict === 'filtered'
  const isSure = await ask({
    title: `Replay in ${inbox}?`,
    text: isFiltered
      ? `The filter of "${inbox}" leaves this event out (${rule ?? 'no rule'}). It is handed out all the same, this once.`
      : `The event is handed out again by "${inbox}", whatever became of it before.`,
    verb: 'Replay 1 event',
  })
  if (!isSure) return false
  try {
    const { status } = await hub.replayEvent(id, { inbox, ...(isFiltered && { ignore_filter: true }) })
    say(
      status === 'replayed' ? `Waiting again in ${inbox}` : `Not needed: it is ${status.replace('-', ' ')} in ${inbox}`,
    )
    return true
  } catch (error) {
    const { title, detail } = toFailure(error)
    say(`${title}. ${detail}`, 'bad')
    return false
  }
}

function Facts({ event }: { readonly event: Event }) {
  const { event_id: id, timestamp, occurred_at: occurred, source, subject, actor, identity, entity, payload } = event
  const facts: readonly (readonly [string, preact.ComponentChildren])[] = [
    ['Event id', <Copy text={id} what="event id" />],
    [
      'Accepted',
      <>
        <Time at={timestamp} exact />{' '}
        <span class="soft">
          (<Time at={timestamp} />)
        </span>
      </>,
    ],
    ['Occurred', occurred && <Time at={occurred} exact />],
    ['Source', source],
    ['Subject', subject],
    ['Identity', identity && Object.values(identity).join(', ')],
    ['Entity', entity && `${entity.type} ${entity.id}`],
    ['Actor', actor && `${actor.type} ${actor.id}`],
    ['Channel', event.channel],
    ['Correlation id', event.correlation_id && <Copy text={event.correlation_id} what="correlation id" />],
    ['External id', event.external_event_id && <Copy text={event.external_event_id} what="external id" />],
    ['Payload', payload === undefined ? undefined : toBytes(new TextEncoder().encode(JSON.stringify(payload)).length)],
  ]
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

function Content({ event }: { readonly event: Event }) {
  const { payload, payload_base64: bytes, metadata, cloudevent } = event
  return (
    <>
      <h3>Payload</h3>
      {bytes === undefined ? (
        <Json value={payload} what="payload" />
      ) : (
        <p class="soft">{bytes.length} characters of base64.</p>
      )}
      {metadata && (
        <>
          <h3>Metadata</h3>
          <Json value={metadata} what="metadata" />
        </>
      )}
      {cloudevent && (
        <>
          <h3>CloudEvent</h3>
          <Json value={cloudevent} what="CloudEvent attributes" />
        </>
      )}
    </>
  )
}
