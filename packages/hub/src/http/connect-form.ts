import { propertiesOf, type Fields } from '../domain/connecting/methods.ts'
import { isSecret } from '../domain/without-secrets.ts'
import { escapeHtml } from './html.ts'

/** What somebody has sent, and what was wrong with it, by field. */
export type Filled = {
  readonly values: Fields
  readonly faults: ReadonlyMap<string, string>
}

export const unfilled: Filled = { values: {}, faults: new Map() }

/** Names of other members of the form begin otherwise. */
const prefix = 'field.'

/** The fields of a form, with what was filled in before, but for secrets. */
export function printFields(form: Fields, { values, faults }: Filled, scope: string): string {
  const required = Array.isArray(form['required']) ? form['required'] : []
  return Object.entries(propertiesOf(form))
    .map(([name, schema]) => {
      const id = `${scope}-${name}`
      const isNeeded = required.includes(name)
      const hidden = isHidden(name, schema, form)
      const value = values[name] ?? (hidden ? undefined : schema['default'])
      const field: Field = { id, name, schema, isNeeded, hidden, value: hidden ? undefined : value }
      return printField(field, faults.get(name))
    })
    .join('')
}

type Field = {
  readonly id: string
  readonly name: string
  readonly schema: Fields
  readonly isNeeded: boolean
  readonly hidden: boolean
  readonly value: unknown
}

const isHidden = (name: string, schema: Fields, form: Fields): boolean =>
  schema['enum'] === undefined && schema['type'] !== 'boolean' && isSecret(name, [form])

function printField(field: Field, fault: string | undefined): string {
  const { id, name, schema, isNeeded } = field
  const label = escapeHtml(textOf(schema['label']) ?? textOf(schema['title']) ?? name)
  const help = textOf(schema['help_text']) ?? textOf(schema['description'])
  const notes = [
    ...(help === undefined ? [] : [`<p class="soft" id="${escapeHtml(id)}-help">${escapeHtml(help)}</p>`]),
    ...(fault === undefined ? [] : [`<p class="fault" id="${escapeHtml(id)}-fault">${escapeHtml(fault)}</p>`]),
  ]
  const optional = isNeeded || schema['type'] === 'boolean' ? '' : ' <span class="soft">optional</span>'
  const described = [
    ...(help === undefined ? [] : [`${id}-help`]),
    ...(fault === undefined ? [] : [`${id}-fault`]),
  ].join(' ')
  const attributes = `id="${escapeHtml(id)}" name="${prefix}${escapeHtml(name)}"${described === '' ? '' : ` aria-describedby="${escapeHtml(described)}"`}${fault === undefined ? '' : ' aria-invalid="true"'}`
  const title = `<label for="${escapeHtml(id)}">${label}${optional}</label>`
  const control = printControl(field, attributes)
  const isTick = schema['type'] === 'boolean'
  return `<div class="field${isTick ? ' tick' : ''}">${isTick ? control + title : title + control}${notes.join('')}</div>`
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

const print = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)

function printControl({ schema, isNeeded, hidden, value }: Field, attributes: string): string {
  const { enum: choices, type, format } = schema
  const required = isNeeded ? ' required' : ''
  if (Array.isArray(choices)) {
    const options = choices.map(
      (choice) =>
        `<option value="${escapeHtml(JSON.stringify(choice))}"${choice === value ? ' selected' : ''}>${escapeHtml(print(choice))}</option>`,
    )
    return `<select ${attributes}${required}><option value=""></option>${options.join('')}</select>`
  }
  if (type === 'boolean') return `<input type="checkbox" ${attributes} value="true"${value === true ? ' checked' : ''}>`
  const placeholder = textOf(schema['placeholder'])
  const hint = placeholder === undefined ? '' : ` placeholder="${escapeHtml(placeholder)}"`
  // A key of several lines does not fit into a password field, which would join them.
  if (hidden && !isLong(schema)) return `<input type="password" autocomplete="off" ${attributes}${hint}${required}>`
  if (type === 'object' || type === 'array' || isLong(schema))
    return `<textarea rows="6" autocomplete="off" spellcheck="false" ${attributes}${hint}${required}>${escapeHtml(print(value))}</textarea>`
  const kind =
    type === 'number' || type === 'integer' ? 'inputmode="decimal"' : format === 'email' ? 'inputmode="email"' : ''
  return `<input type="text" ${kind} autocomplete="off" ${attributes}${hint}${required} value="${escapeHtml(print(value))}">`
}

const isLong = ({ label, 'x-autohive-input': input }: Fields): boolean =>
  input === 'textarea' || (typeof label === 'string' && /\bPEM\b|private key/i.test(label))

/** What was filled in, as the schema wants it. What is left empty is left out; what cannot be read stays the text that it is. */
export function readFields(form: Fields, sent: URLSearchParams): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(propertiesOf(form)).flatMap(([name, schema]) => {
      const text = sent.get(prefix + name) ?? ''
      if (schema['type'] === 'boolean') return [[name, text === 'true']]
      return text === '' ? [] : [[name, readValue(schema, text)]]
    }),
  )
}

function readValue({ type, enum: choices }: Fields, text: string): unknown {
  if (Array.isArray(choices)) return parse(text)
  if (type === 'number' || type === 'integer') return /^[+-]?\d/.test(text.trim()) ? Number(text) : text
  return type === 'object' || type === 'array' ? parse(text) : text.replaceAll('\r\n', '\n')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The faults of a refused form, each at its field; what is about no field at all is under the empty name. */
export function toFaultsByField(errors: readonly { pointer: string; detail: string }[]): Map<string, string> {
  const byField = Map.groupBy(errors, ({ pointer }) => /^\/credentials\/([^/]+)/.exec(pointer)?.[1] ?? '')
  return new Map(
    [...byField].map(([name, found]) => [
      name.replaceAll('~1', '/').replaceAll('~0', '~'),
      found.map(({ detail }) => detail).join('; '),
    ]),
  )
}
