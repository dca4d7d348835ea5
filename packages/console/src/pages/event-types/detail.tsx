import type { EventTypeMode, EventTypeWithVersions } from '@sluice/client/admin'
import { useState } from 'preact/hooks'
import { go, toHref } from '../../address.ts'
import { useDeed } from '../../hooks/use-deed.ts'
import { useLoad } from '../../hooks/use-load.ts'
import { hub } from '../../hub.ts'
import { useMay } from '../../session.ts'
import { useCommands } from '../../ui/commands.ts'
import { Json } from '../../ui/json.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Broken, Empty, Skeleton } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'

const modes: readonly (readonly [EventTypeMode, string])[] = [
  ['off', 'nothing is checked'],
  ['warn', 'stored, and the answer says so'],
  ['quarantine', 'kept back until somebody decides'],
  ['reject', 'refused'],
]

export function TypeDetail({ name }: { readonly name: string }) {
  const loaded = useLoad(`event type ${name}`, (signal) => hub.getEventType(name, { signal }))
  const mayRead = useMay('read')
  useCommands([{ name: 'Back to the event types', key: 'Escape', run: () => go(['event-types']) }])
  if (loaded.failure && !loaded.value) return <Broken failure={loaded.failure} retry={loaded.reload} />
  return (
    <>
      <PageHead title={name} up={{ path: ['event-types'], name: 'Event types' }}>
        {mayRead && (
          <a class="button" href={toHref(['events'], { event_type: name })}>
            Its events
          </a>
        )}
      </PageHead>
      {loaded.value ? <Definition type={loaded.value} onChange={loaded.reload} /> : <Skeleton rows={8} />}
    </>
  )
}

function Definition({ type, onChange }: { readonly type: EventTypeWithVersions; readonly onChange: () => void }) {
  const { description, category, entity, action, versions } = type
  const [shown, setShown] = useState(0)
  const version = versions[shown]
  return (
    <div class="definition">
      {description && <p>{description}</p>}
      <dl class="facts">
        {Object.entries({ Category: category, Entity: entity, Action: action }).map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
        <ModeChoice type={type} onChange={onChange} />
      </dl>
      <div class="section-head">
        <h2>Schema</h2>
        {versions.length > 1 && (
          <label class="inline">
            <span class="soft">Version</span>
            <select value={shown} onChange={(event) => setShown(Number(event.currentTarget.value))}>
              {versions.map((one, index) => (
                <option key={one.version} value={index}>
                  v{one.version}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {version ? (
        <>
          <p class="soft small">
            Version {version.version}, of <Time at={version.created_at} exact />
          </p>
          <Json value={version.schema} what="schema" />
        </>
      ) : (
        <Empty title="No schema">Payloads of this type may hold anything.</Empty>
      )}
    </div>
  )
}

function ModeChoice({ type, onChange }: { readonly type: EventTypeWithVersions; readonly onChange: () => void }) {
  const { run } = useDeed()
  const mayChange = useMay('admin')
  const change = async (mode: EventTypeMode): Promise<void> => {
    const isDone = await run(async () => {
      await hub.putEventType(type.name, { mode })
      return `On a fault: ${mode}`
    })
    if (isDone) onChange()
  }
  return (
    <div>
      <dt id="mode">On a fault</dt>
      <dd>
        <select
          aria-labelledby="mode"
          value={type.mode}
          disabled={!mayChange}
          onChange={(event) => void change(event.currentTarget.value as EventTypeMode)}
        >
          {modes.map(([mode, what]) => (
            <option key={mode} value={mode}>
              {mode}: {what}
            </option>
          ))}
        </select>
      </dd>
    </div>
  )
}
