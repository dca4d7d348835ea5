import type { Integration, RunResult } from '@sluice/client/admin'
import { useState } from 'preact/hooks'
import { toHref } from '../../address.ts'
import { useLoad } from '../../hooks/use-load.ts'
import { hub, toFailure, type Failure } from '../../hub.ts'
import { Badge } from '../../ui/badge.tsx'
import { Json } from '../../ui/json.tsx'
import { SchemaForm } from '../../ui/schema-form.tsx'
import { Broken } from '../../ui/states.tsx'

type Props = { readonly integration: Integration; readonly action: Integration['actions'][number] }
type Outcome = { readonly result: RunResult } | { readonly failure: Failure }

/** An action as a form, and what came of it. */
export function Action({ integration, action }: Props) {
  const [inputs, setInputs] = useState<Record<string, unknown>>({})
  const [connection, setConnection] = useState('')
  const [outcome, setOutcome] = useState<Outcome>()
  const [isBusy, setIsBusy] = useState(false)
  const run = async (): Promise<void> => {
    setIsBusy(true)
    try {
      const wanted = { inputs, ...(connection && { connection }) }
      setOutcome({ result: await hub.runAction(integration.name, action.name, wanted, { timeoutMs: 300_000 }) })
    } catch (error) {
      setOutcome({ failure: toFailure(error) })
    }
    setIsBusy(false)
  }
  return (
    <div class="run">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void run()
        }}
      >
        <p class="soft">{action.description}</p>
        {integration.auth && <ConnectionChoice of={integration.name} value={connection} onChange={setConnection} />}
        <SchemaForm schema={action.input_schema} value={inputs} onChange={setInputs} />
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? 'Running…' : `Run ${action.display_name ?? action.name}`}
        </button>
      </form>
      <section aria-label="What came of it" aria-live="polite">
        <h3>What came of it</h3>
        {outcome === undefined ? (
          <p class="soft">Run it: the result stands here. It is done for real.</p>
        ) : 'failure' in outcome ? (
          <Broken failure={outcome.failure} />
        ) : (
          <Result result={outcome.result} />
        )}
      </section>
    </div>
  )
}

function Result({ result }: { readonly result: RunResult }) {
  const { type, ms } = result
  const cost = result.result['cost_usd']
  return (
    <>
      <p class="row">
        <Badge tone={type === 'action' ? 'good' : 'bad'}>{type.replaceAll('_', ' ')}</Badge>
        <span class="soft small">
          {ms} ms{typeof cost === 'number' && `, $${cost}`}
        </span>
      </p>
      <Json value={result.result} what="result" />
    </>
  )
}

type ChoiceProps = { readonly of: string; readonly value: string; readonly onChange: (key: string) => void }

function ConnectionChoice({ of, value, onChange }: ChoiceProps) {
  const loaded = useLoad('connections', (signal) => hub.listConnections({ limit: 200 }, { signal }))
  const own = loaded.value?.connections.filter(({ integration }) => integration === of) ?? []
  return (
    <label>
      <span>Connection</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">none</option>
        {own.map(({ key, account }) => (
          <option key={key} value={key}>
            {key} {account?.email ?? account?.username ?? ''}
          </option>
        ))}
      </select>
      {loaded.value && own.length === 0 && (
        <small class="soft">
          There is none for it yet: <a href={toHref(['connections'], { new: of })}>make one</a>.
        </small>
      )}
    </label>
  )
}
