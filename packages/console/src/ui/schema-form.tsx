import { useState } from 'preact/hooks'

type Schema = { readonly [name: string]: unknown }
type Value = Record<string, unknown>

type Props = {
  /** JSON Schema of an object */
  readonly schema: Schema
  readonly value: Value
  readonly onChange: (value: Value) => void
}

/** Deeper than this, and for what has no simple form (any of several, lists of objects), JSON is typed as it is. */
const maxDepth = 2

/** Fields for the members that a schema names. The hub checks what is sent: this only helps to write it. */
export function SchemaForm({ schema, value, onChange }: Props) {
  return <Members schema={schema} value={value} onChange={onChange} depth={0} />
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function Members({ schema, value, onChange, depth }: Props & { readonly depth: number }) {
  const members = isSchema(schema['properties']) ? Object.entries(schema['properties']) : []
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const set = (name: string, member: unknown): void => {
    const { [name]: _before, ...others } = value
    onChange(member === undefined ? others : { ...others, [name]: member })
  }
  if (members.length === 0) return <p class="soft">It takes no inputs.</p>
  return (
    <>
      {members.map(([name, member]) => (
        <Field
          key={name}
          name={name}
          schema={isSchema(member) ? member : {}}
          isRequired={required.includes(name)}
          value={value[name]}
          onChange={(next) => set(name, next)}
          depth={depth}
        />
      ))}
    </>
  )
}

type FieldProps = {
  readonly name: string
  readonly schema: Schema
  readonly isRequired: boolean
  readonly value: unknown
  readonly onChange: (value: unknown) => void
  readonly depth: number
}

function Field(props: FieldProps) {
  const { name, schema, isRequired, value, onChange, depth } = props
  const hint = typeof schema['description'] === 'string' ? schema['description'] : undefined
  const title = typeof schema['title'] === 'string' ? schema['title'] : name
  if (schema['type'] === 'object' && isSchema(schema['properties']) && depth < maxDepth)
    return (
      <fieldset class="nested">
        <legend>{title}</legend>
        {hint && <p class="soft small">{hint}</p>}
        <Members schema={schema} value={isSchema(value) ? { ...value } : {}} onChange={onChange} depth={depth + 1} />
      </fieldset>
    )
  return (
    <label class={schema['type'] === 'boolean' ? 'check' : ''}>
      <span>
        {title} {isRequired && <em class="soft small">required</em>}
      </span>
      <Input {...props} />
      {hint && <small class="soft">{hint}</small>}
    </label>
  )
}

function Input({ schema, isRequired, value, onChange, name }: FieldProps) {
  const { type, enum: choices, format } = schema
  const initial = schema['default'] === undefined ? '' : `default ${JSON.stringify(schema['default'])}`
  if (Array.isArray(choices))
    return (
      <select
        required={isRequired}
        value={value === undefined ? '' : JSON.stringify(value)}
        onChange={(event) =>
          onChange(event.currentTarget.value === '' ? undefined : JSON.parse(event.currentTarget.value))
        }
      >
        <option value="">{initial || '–'}</option>
        {choices.map((choice) => (
          <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
            {String(choice)}
          </option>
        ))}
      </select>
    )
  if (type === 'boolean')
    return (
      <input type="checkbox" checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />
    )
  if (type === 'number' || type === 'integer')
    return (
      <input
        type="number"
        step={type === 'integer' ? 1 : 'any'}
        required={isRequired}
        placeholder={initial}
        value={typeof value === 'number' ? value : ''}
        onInput={(event) => onChange(event.currentTarget.value === '' ? undefined : event.currentTarget.valueAsNumber)}
      />
    )
  if (type === 'string') {
    const shared = {
      autocomplete: 'off',
      required: isRequired,
      placeholder: initial || (typeof format === 'string' ? format : ''),
      value: typeof value === 'string' ? value : '',
      onInput: (event: { readonly currentTarget: HTMLInputElement }) =>
        onChange(event.currentTarget.value || undefined),
    } as const
    const isSecret = format === 'password' || /secret|token|password|api_?key/i.test(name)
    return isSecret ? <input type="password" {...shared} /> : <input type="text" {...shared} />
  }
  return <JsonInput isRequired={isRequired} value={value} onChange={onChange} />
}

type JsonProps = Pick<FieldProps, 'isRequired' | 'value' | 'onChange'>

/** Anything, as JSON. */
function JsonInput({ isRequired, value, onChange }: JsonProps) {
  const [text, setText] = useState(() => (value === undefined ? '' : JSON.stringify(value, null, 2)))
  const [isFaulty, setIsFaulty] = useState(false)
  const read = (next: string): void => {
    setText(next)
    try {
      onChange(next.trim() === '' ? undefined : JSON.parse(next))
      setIsFaulty(false)
    } catch {
      setIsFaulty(true)
    }
  }
  return (
    <textarea
      class="mono"
      rows={4}
      placeholder="JSON"
      required={isRequired}
      spellcheck={false}
      aria-invalid={isFaulty}
      value={text}
      onInput={(event) => read(event.currentTarget.value)}
    />
  )
}
