import { useState } from 'preact/hooks'
import { copyText, CopyIcon } from './copy.tsx'

type Props = { readonly value: unknown; readonly what: string }

/** JSON as it is read: folded where it is long, coloured by kind. */
export function Json({ value, what }: Props) {
  const text = JSON.stringify(value, null, 2) ?? 'null'
  return (
    <div class="json">
      <button
        type="button"
        class="ghost small json-copy"
        onClick={() => void copyText(text, what)}
        title={`Copy ${what}`}
      >
        <CopyIcon /> Copy
      </button>
      <pre tabIndex={0} role="region" aria-label={what}>
        <Value value={value} depth={0} />
      </pre>
    </div>
  )
}

/** Beyond this many members a level shows a part, and the rest when asked. */
const shownMembers = 100
const openDepth = 4

function Value({ value, depth }: { readonly value: unknown; readonly depth: number }) {
  if (typeof value === 'string') return <span class="j-text">{JSON.stringify(value)}</span>
  if (typeof value !== 'object' || value === null) return <span class="j-plain">{String(value)}</span>
  return <Members value={value} depth={depth} />
}

function Members({ value, depth }: { readonly value: object; readonly depth: number }) {
  const [isOpen, setIsOpen] = useState(depth < openDepth)
  const [limit, setLimit] = useState(shownMembers)
  const isList = Array.isArray(value)
  const entries = Object.entries(value)
  const open = isList ? '[' : '{'
  const close = isList ? ']' : '}'
  if (entries.length === 0) return <>{open + close}</>
  if (!isOpen)
    return (
      <button type="button" class="j-fold" aria-expanded="false" onClick={() => setIsOpen(true)}>
        {open} {entries.length} {isList ? 'items' : 'members'} {close}
      </button>
    )
  const indent = '  '.repeat(depth + 1)
  return (
    <>
      <button type="button" class="j-fold" aria-expanded="true" aria-label="Fold" onClick={() => setIsOpen(false)}>
        {open}
      </button>
      {entries.slice(0, limit).map(([name, member], index) => (
        <span key={name}>
          {`\n${indent}`}
          {!isList && <span class="j-name">{JSON.stringify(name)}: </span>}
          <Value value={member} depth={depth + 1} />
          {index < entries.length - 1 && ','}
        </span>
      ))}
      {entries.length > limit && (
        <>
          {`\n${indent}`}
          <button type="button" class="j-fold" onClick={() => setLimit(limit + shownMembers)}>
            {entries.length - limit} more
          </button>
        </>
      )}
      {`\n${'  '.repeat(depth)}${close}`}
    </>
  )
}
