import type { Event } from '@sluice/client/admin'
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { toHref } from '../../address.ts'
import { useDeed } from '../../hooks/use-deed.ts'
import type { Tail } from '../../hooks/use-tail.ts'
import { hub, hubUrl } from '../../hub.ts'
import { rememberKey, rememberedKey, useMay, useSession } from '../../session.ts'
import { Code } from '../../ui/code.tsx'
import { shorten } from '../../ui/copy.tsx'
import { toCurl } from '../../ui/snippets.ts'

const sample = { event_type: 'hello', payload: { to: 'world' } }
/** Acknowledging leaves no event behind that would tell of it. */
const askMs = 2000
const seenPlace = 'sluice-first-seen'

type Props = { readonly found: Event | undefined; readonly tail: Tail }

/** An empty hub: send, see, acknowledge. Each step turns green when it has happened, wherever it was done. */
export function FirstMinute({ found, tail }: Props) {
  const event = tail.events.at(-1) ?? found
  const [seen, setSeen] = useState(() => event !== undefined && sessionStorage.getItem(seenPlace) === event.event_id)
  const isAcknowledged = useAcknowledged(event)
  const { key, make } = useFirstKey()
  const see = (id: string): void => {
    sessionStorage.setItem(seenPlace, id)
    setSeen(true)
  }
  return (
    <section class="first card" aria-label="The first minute">
      <h2>The first minute</h2>
      <p class="soft">
        Send an event, see it, and say that it is done.{' '}
        {!key && make && (
          <button type="button" class="link" onClick={() => void make()}>
            Make a key and fill it in below
          </button>
        )}
      </p>
      <ol>
        <Step number={1} title="Send" isDone={event !== undefined}>
          <Code text={toCurl(sample, hubUrl, key)} what="the command that sends an event" />
          {!event && <Here name="Send it from here" deed={() => hub.publishEvent(sample)} />}
        </Step>
        <Step number={2} title="See" isDone={event !== undefined && (seen || isAcknowledged)}>
          {event ? (
            <a class="button" href={toHref(['events', event.event_id])} onClick={() => see(event.event_id)}>
              Open {event.event_type} <span class="mono faint">{shorten(event.event_id)}</span>
            </a>
          ) : (
            <p class="soft">It shows up here the moment it is on disk.</p>
          )}
        </Step>
        <Step number={3} title="Acknowledge" isDone={isAcknowledged}>
          <Code text={toAckCurl(event, key)} what="the command that acknowledges it" />
          {event && !isAcknowledged && (
            <Here name="Acknowledge it from here" deed={() => hub.acknowledgeEvent(event.event_id)} />
          )}
        </Step>
      </ol>
      {isAcknowledged && <Next />}
    </section>
  )
}

function toAckCurl(event: Event | undefined, key: string | undefined): string {
  const bearer = key ? `'Authorization: Bearer ${key}'` : '"Authorization: Bearer $SLUICE_API_KEY"'
  return `curl -X DELETE ${hubUrl}v1/events/${event?.event_id ?? 'EVENT_ID'} \\\n  -H ${bearer}`
}

/** For whoever has no terminal at hand. */
function Here({ name, deed }: { readonly name: string; readonly deed: () => Promise<unknown> }) {
  const { isBusy, run } = useDeed()
  const { permissions } = useSession()
  const act = async (): Promise<undefined> => {
    await deed()
  }
  if (!permissions.includes('publish') || !permissions.includes('inbox')) return null
  return (
    <button type="button" disabled={isBusy} onClick={() => void run(act)}>
      {name}
    </button>
  )
}

function Next() {
  return (
    <p>
      That is all there is to it. Next: <a href={toHref(['inboxes'])}>an inbox of your own</a>, or the{' '}
      <a href={`${hubUrl}docs`} target="_blank" rel="noreferrer">
        API reference
      </a>
      .
    </p>
  )
}

type StepProps = {
  readonly number: number
  readonly title: string
  readonly isDone: boolean
  readonly children: ComponentChildren
}

function Step({ number, title, isDone, children }: StepProps) {
  return (
    <li class={isDone ? 'done' : ''}>
      <span class="step-mark" aria-hidden="true">
        {isDone ? '✓' : number}
      </span>
      <h3>
        {title} {isDone && <span class="good-text small">done</span>}
      </h3>
      {children}
    </li>
  )
}

function useAcknowledged(event: Event | undefined): boolean {
  const [isDone, setIsDone] = useState(false)
  useEffect(() => {
    if (!event || isDone) return
    const stop = new AbortController()
    const look = async (): Promise<void> => {
      if (document.hidden) return
      const { verdicts } = await hub.explainEvent(event.event_id, { signal: stop.signal })
      if (verdicts.some(({ inbox, verdict }) => inbox === 'default' && verdict === 'acknowledged')) setIsDone(true)
    }
    const timer = setInterval(() => void look().catch(() => undefined), askMs)
    void look().catch(() => undefined)
    return () => {
      stop.abort()
      clearInterval(timer)
    }
  }, [event?.event_id, isDone])
  return isDone
}

/** The key that somebody signed in with, or one that is made for these steps. It stands in this page and nowhere else. */
function useFirstKey(): { readonly key: string | undefined; readonly make: (() => Promise<unknown>) | undefined } {
  const [key, setKey] = useState(rememberedKey)
  const mayMake = useMay('admin')
  const { run } = useDeed()
  const make = (): Promise<boolean> =>
    run(async () => {
      const { api_key: made } = await hub.createKey({ user_id: 'first-steps', role: 'creator' })
      rememberKey(made)
      setKey(made)
      return 'Made a key for "first-steps": it is shown this once'
    })
  return { key, make: mayMake ? make : undefined }
}
