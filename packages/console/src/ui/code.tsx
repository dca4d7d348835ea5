import { copyText, CopyIcon } from './copy.tsx'

/** A few lines for a terminal or an editor, and a button that copies them. */
export function Code({ text, what }: { readonly text: string; readonly what: string }) {
  return (
    <div class="json code">
      <button
        type="button"
        class="ghost small json-copy"
        onClick={() => void copyText(text, what)}
        title={`Copy ${what}`}
      >
        <CopyIcon /> Copy
      </button>
      <pre tabIndex={0} role="region" aria-label={what}>
        {text}
      </pre>
    </div>
  )
}
